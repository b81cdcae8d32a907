# Draw the figures: gnuplot -c bench/picture.gp DATA PICTURE, where PICTURE ends in .svg or .png and
# DATA is what `load --picture DATA' has written. See picture.c for its form.
data = ARG1
picture = ARG2

is_png = (picture[strlen(picture) - 3:] eq ".png")
if (is_png) set terminal pngcairo size 1400,1150 font "sans,11" noenhanced
if (!is_png) set terminal svg size 1400,1150 font "sans,13" noenhanced background "white"
set output picture

set datafile missing "-"
set style fill solid 0.9 border -1
set style data histogram
set style histogram clustered gap 1.5
set boxwidth 1
set grid ytics lt 1 lc rgb "#dddddd"
set border 3
set tics nomirror
set multiplot title "chatroomd (both modes are blue) beside its peers and its limits; medians"

# Columns of DATA: receivers, point, and then the arms: chatroomd, couriers=0, redis, nats, mosquitto,
# ngircd, loop, processes.
chatroomd = 3; redis = 5; loop = 9; processes = 10
array color[10]
color[3] = 0x1f4e9c; color[4] = 0x7aa6e8; color[5] = 0xc0392b; color[6] = 0xe67e22
color[7] = 0xf1c40f; color[8] = 0x8e44ad; color[9] = 0x999999; color[10] = 0x444444

set logscale y
set key outside right top
set origin 0, 0.64
set size 1, 0.33
set bmargin 4
set xrange [-0.6:*]
set title "deliveries a second, by receivers and messages in flight; texts of 64 bytes unless said"
set ylabel "million/s, more is better"
plot for [arm=chatroomd:loop] data index "rate" using arm:xtic(2) \
    title columnheader(arm) lc rgb color[arm]

unset key
set bmargin 2
set size 0.33, 0.32
set origin 0, 0.32
set title "CPU time per delivery, slow pace, by receivers"
set ylabel "us, less is better"
plot for [arm=chatroomd:processes] data index "cpu" using arm:xtic(2) lc rgb color[arm]

set origin 0.335, 0.32
set title "latency p50, slow pace, by receivers"
plot for [arm=chatroomd:loop] data index "p50" using arm:xtic(2) lc rgb color[arm]

set origin 0.67, 0.32
set title "latency p99, slow pace, by receivers"
plot for [arm=chatroomd:loop] data index "p99" using arm:xtic(2) lc rgb color[arm]

unset logscale y
set yrange [0:*]
set origin 0, 0
set title "memory of the machine per idle client"
set ylabel "KiB, less is better"
plot for [arm=chatroomd:redis] data index "memory" using arm:xtic(2) lc rgb color[arm]

set origin 0.335, 0
set title "CPU time of the supervisor per message, by receivers"
set ylabel "us, less is better"
plot data index "supervisor" using chatroomd:xtic(2) lc rgb color[chatroomd]

set origin 0.67, 0
set title "joins a second, 100 at once (black: bare fork)"
set ylabel "1/s, more is better"
plot for [arm=chatroomd:processes] data index "joins" using arm:xtic(2) lc rgb color[arm]

unset multiplot
