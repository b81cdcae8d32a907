/* SPDX-License-Identifier: ISC */
/*
 * acts_calls.c - CALL acts: what a worker can ask the kernel for.
 *
 * An act that succeeds does no harm: signals are 0, memory of another process is overwritten with
 * what it contains, limits are set to their values. An act of several calls succeeds if the last
 * one does.
 */
#include "config.h"

#include "tests/jail/acts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/membarrier.h>
#include <linux/sched.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define MUCH_MEMORY      ((size_t)512 * 1024 * 1024)
#define VERY_MUCH_MEMORY ((size_t)64 * 1024 * 1024 * 1024)

/* At the same place in the supervisor, since all are forked from it. */
static char scratch[16] = "scratch";

static size_t page_size(void)
{
    return 4096;
}

static pid_t supervisor_of(const struct scene *scene)
{
    return scene->heritage->supervisor;
}

/* --- the region and memory */

/* Not even a mapping without a jail can be made writable: it is from a read-only descriptor. What
 * the jail adds is that mprotect is not there at all, so this is about any page. */
static bool protect(const void *address, int rights)
{
    uintptr_t start = (uintptr_t)address & ~(page_size() - 1);

    return mprotect((void *)start, page_size(), rights) == 0;
}

bool act_protect_header(const struct scene *scene)
{
    return protect(scene->view.header, PROT_NONE);
}

bool act_protect_ring(const struct scene *scene)
{
    return protect(scene->view.ring, PROT_NONE);
}

bool act_protect_own_code(const struct scene *scene)
{
    (void)scene;
    return protect(
        (const void *)(uintptr_t)act_protect_own_code, PROT_READ | PROT_WRITE | PROT_EXEC);
}

static bool map(size_t size, int rights)
{
    return mmap(NULL, size, rights, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

bool act_map_executable(const struct scene *scene)
{
    (void)scene;
    return map(page_size(), PROT_READ | PROT_WRITE | PROT_EXEC);
}

bool act_map_much_memory(const struct scene *scene)
{
    (void)scene;
    return map(MUCH_MEMORY, PROT_READ | PROT_WRITE);
}

bool act_break_much_memory(const struct scene *scene)
{
    (void)scene;
    return sbrk((intptr_t)MUCH_MEMORY) != (void *)-1;
}

/* No data to RLIMIT_DATA, but page tables to the kernel, once they are touched. */
bool act_map_much_to_read(const struct scene *scene)
{
    (void)scene;
    return map(VERY_MUCH_MEMORY, PROT_READ);
}

static bool remap(const struct scene *scene, size_t before)
{
    size_t size = page_size() + scene->outbox.size;

    return mremap(scene->outbox.state, before, 2 * size, MREMAP_MAYMOVE) != MAP_FAILED;
}

bool act_grow_outbox(const struct scene *scene)
{
    return remap(scene, page_size() + scene->outbox.size);
}

bool act_copy_outbox_mapping(const struct scene *scene)
{
    return remap(scene, 0);
}

bool act_remap_outbox_page(const struct scene *scene)
{
    return remap_file_pages(scene->outbox.state, page_size(), 0, 6, 0) == 0;
}

bool act_punch_hole_in_outbox(const struct scene *scene)
{
    return madvise(scene->outbox.bytes, page_size(), MADV_REMOVE) == 0;
}

bool act_lock_memory(const struct scene *scene)
{
    return mlock(scene->outbox.state, page_size()) == 0;
}

/* --- files */

static bool opens(const char *path, int flags)
{
    return open(path, flags, 0600) >= 0;
}

bool act_open_own_memory(const struct scene *scene)
{
    (void)scene;
    return opens("/proc/self/mem", O_RDWR);
}

bool act_open_supervisors_memory(const struct scene *scene)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/mem", (int)supervisor_of(scene));
    return opens(path, O_RDWR);
}

bool act_open_for_reading(const struct scene *scene)
{
    (void)scene;
    return opens("/etc/passwd", O_RDONLY);
}

bool act_open_for_creating(const struct scene *scene)
{
    (void)scene;
    return opens("/tmp", O_TMPFILE | O_RDWR);
}

bool act_make_folder(const struct scene *scene)
{
    char path[64];

    (void)scene;
    snprintf(path, sizeof path, "/tmp/chatroomd-hostile-%d", (int)getpid());
    return mkdir(path, 0700) == 0 && rmdir(path) == 0;
}

bool act_change_folder(const struct scene *scene)
{
    (void)scene;
    return chdir("/tmp") == 0;
}

/* --- other processes */

bool act_read_supervisor(const struct scene *scene)
{
    char copy[sizeof scratch];
    struct iovec here = {copy, sizeof copy}, there = {scratch, sizeof scratch};

    return process_vm_readv(supervisor_of(scene), &here, 1, &there, 1, 0) > 0;
}

bool act_write_supervisor(const struct scene *scene)
{
    struct iovec here = {scratch, sizeof scratch}, there = {scratch, sizeof scratch};

    return process_vm_writev(supervisor_of(scene), &here, 1, &there, 1, 0) > 0;
}

bool act_trace_supervisor(const struct scene *scene)
{
    return ptrace(PTRACE_SEIZE, supervisor_of(scene), NULL, NULL) == 0;
}

bool act_signal_supervisor(const struct scene *scene)
{
    return kill(supervisor_of(scene), 0) == 0;
}

bool act_signal_sibling(const struct scene *scene)
{
    return kill(scene->sibling, 0) == 0;
}

bool act_signal_siblings_thread(const struct scene *scene)
{
    return syscall(SYS_tgkill, scene->sibling, scene->sibling, 0) == 0;
}

bool act_signal_own_group(const struct scene *scene)
{
    (void)scene;
    return kill(0, 0) == 0;
}

bool act_queue_signal(const struct scene *scene)
{
    return sigqueue(scene->sibling, 0, (union sigval){0}) == 0;
}

bool act_hold_supervisor(const struct scene *scene)
{
    return syscall(SYS_pidfd_open, supervisor_of(scene), 0) >= 0;
}

/* Signals that a socket's readiness sends, to whomever. */
bool act_own_socket_signals(const struct scene *scene)
{
    return fcntl(scene->client_fd, F_SETOWN, supervisor_of(scene)) == 0;
}

bool act_own_socket_by_ioctl(const struct scene *scene)
{
    int owner = supervisor_of(scene);

    return ioctl(scene->client_fd, FIOSETOWN, &owner) == 0;
}

/* How much processor time it has taken: the clock of a process is the complement of its pid. */
bool act_read_supervisors_clock(const struct scene *scene)
{
    clockid_t clock = (clockid_t)(~(unsigned)supervisor_of(scene) << 3 | 2);
    struct timespec time;

    return clock_gettime(clock, &time) == 0;
}

bool act_limit_supervisor(const struct scene *scene)
{
    struct rlimit limit;

    return prlimit(supervisor_of(scene), RLIMIT_NOFILE, NULL, &limit) == 0 &&
           prlimit(supervisor_of(scene), RLIMIT_NOFILE, &limit, NULL) == 0;
}

bool act_raise_own_limits(const struct scene *scene)
{
    struct rlimit limit = {1, 1};

    (void)scene;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

/* --- sockets */

bool act_make_internet_socket(const struct scene *scene)
{
    (void)scene;
    return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

bool act_make_local_socket(const struct scene *scene)
{
    (void)scene;
    return socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

bool act_make_netlink_socket(const struct scene *scene)
{
    (void)scene;
    return socket(AF_NETLINK, SOCK_RAW, 0) >= 0;
}

bool act_make_socketpair(const struct scene *scene)
{
    int ends[2];

    (void)scene;
    return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0;
}

bool act_set_socket_option(const struct scene *scene)
{
    int size = 4096;

    return setsockopt(scene->client_fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0;
}

bool act_make_socket_blocking(const struct scene *scene)
{
    return fcntl(scene->heritage->relay_fd, F_SETFL, 0) == 0;
}

bool act_make_socket_blocking_by_ioctl(const struct scene *scene)
{
    int on = 0;

    return ioctl(scene->heritage->relay_fd, FIONBIO, &on) == 0;
}

/* A descriptor to the supervisor, which would keep it. */
bool act_send_descriptor(const struct scene *scene)
{
    char byte = 0;
    struct iovec bytes = {.iov_base = &byte, .iov_len = 1};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } ancillary = {.header = {
                       .cmsg_len = CMSG_LEN(sizeof(int)),
                       .cmsg_level = SOL_SOCKET,
                       .cmsg_type = SCM_RIGHTS,
                   }};
    struct msghdr message = {
        .msg_iov = &bytes,
        .msg_iovlen = 1,
        .msg_control = &ancillary,
        .msg_controllen = sizeof ancillary,
    };

    memcpy(CMSG_DATA(&ancillary.header), &scene->client_fd, sizeof(int));
    return sendmsg(scene->heritage->relay_fd, &message, MSG_NOSIGNAL) == 1;
}

bool act_receive_message(const struct scene *scene)
{
    struct msghdr message = {0};

    return recvmsg(scene->heritage->relay_fd, &message, MSG_DONTWAIT) >= 0 || errno == EAGAIN;
}

bool act_receive_descriptor_from_client(const struct scene *scene)
{
    struct msghdr message = {0};

    return recvmsg(scene->client_fd, &message, MSG_CMSG_CLOEXEC) >= 0 || errno == EAGAIN;
}

bool act_peek_at_message(const struct scene *scene)
{
    char byte;

    return recv(scene->client_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno == EAGAIN;
}

/* No byte, so that the control tells its client nothing else. */
bool act_send_with_other_flags(const struct scene *scene)
{
    return send(scene->client_fd, "", 0, MSG_MORE | MSG_NOSIGNAL) == 0;
}

bool act_send_many_messages(const struct scene *scene)
{
    struct mmsghdr message = {0};

    return sendmmsg(scene->client_fd, &message, 1, MSG_NOSIGNAL) == 1;
}

/* --- programs and processes */

/* The program that says "succeeded" to the client, as standard output. */
static char *const arguments[] = {(char[]){"sh"}, (char[]){"-c"}, (char[]){"echo succeeded"}, NULL};

bool act_execute_program(const struct scene *scene)
{
    dup2(scene->client_fd, STDOUT_FILENO);
    execv("/bin/sh", arguments);
    return false;
}

bool act_execute_descriptor(const struct scene *scene)
{
    dup2(scene->client_fd, STDOUT_FILENO);
    return syscall(SYS_execveat, AT_FDCWD, "/bin/sh", arguments, environ, 0) == 0;
}

bool act_fork_process(const struct scene *scene)
{
    pid_t pid = fork();

    (void)scene;
    if (pid == 0)
        _exit(0);
    return pid > 0;
}

bool act_fork_by_clone3(const struct scene *scene)
{
    struct clone_args wish = {.exit_signal = SIGCHLD};
    long pid = syscall(SYS_clone3, &wish, sizeof wish);

    (void)scene;
    if (pid == 0)
        _exit(0);
    return pid > 0;
}

static int thread_main(void *argument)
{
    (void)argument;
    return 0;
}

bool act_start_thread(const struct scene *scene)
{
    static char stack[65536];

    (void)scene;
    return clone(thread_main, stack + sizeof stack, CLONE_VM | CLONE_FILES, NULL) > 0;
}

bool act_make_namespace(const struct scene *scene)
{
    (void)scene;
    return unshare(CLONE_NEWUTS) == 0 || unshare(CLONE_NEWUSER) == 0;
}

/* --- parts of the kernel that a worker has no business with */

bool act_start_io_uring(const struct scene *scene)
{
    char parameters[120] = "";

    (void)scene;
    return syscall(SYS_io_uring_setup, 1, parameters) >= 0;
}

bool act_handle_page_faults(const struct scene *scene)
{
    (void)scene;
    return syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY) >= 0;
}

bool act_make_memory_file(const struct scene *scene)
{
    (void)scene;
    return memfd_create("hostile", 0) >= 0;
}

bool act_make_shared_memory(const struct scene *scene)
{
    char name[64];

    (void)scene;
    snprintf(name, sizeof name, "/chatroomd-hostile-%d", (int)getpid());
    return shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600) >= 0 && shm_unlink(name) == 0;
}

bool act_make_old_shared_memory(const struct scene *scene)
{
    int id = shmget(IPC_PRIVATE, page_size(), IPC_CREAT | 0600);

    (void)scene;
    return id >= 0 && shmctl(id, IPC_RMID, NULL) == 0;
}

bool act_duplicate_descriptor(const struct scene *scene)
{
    return dup(scene->client_fd) >= 0;
}

bool act_make_event_loop(const struct scene *scene)
{
    (void)scene;
    return epoll_create1(0) >= 0;
}

bool act_make_pipe(const struct scene *scene)
{
    int ends[2];

    (void)scene;
    return pipe(ends) == 0;
}

bool act_watch_files(const struct scene *scene)
{
    (void)scene;
    return inotify_init() >= 0;
}

bool act_change_user(const struct scene *scene)
{
    (void)scene;
    return setresuid(getuid(), getuid(), getuid()) == 0;
}

bool act_become_traceable(const struct scene *scene)
{
    (void)scene;
    return prctl(PR_SET_DUMPABLE, 1L) == 0;
}

bool act_outlive_supervisor(const struct scene *scene)
{
    (void)scene;
    return prctl(PR_SET_PDEATHSIG, 0L) == 0;
}

bool act_change_personality(const struct scene *scene)
{
    (void)scene;
    return personality(READ_IMPLIES_EXEC) >= 0;
}

bool act_set_timer(const struct scene *scene)
{
    struct itimerval timer = {.it_value = {.tv_sec = 1000}};

    (void)scene;
    return setitimer(ITIMER_REAL, &timer, NULL) == 0;
}

bool act_handle_signals(const struct scene *scene)
{
    (void)scene;
    return signal(SIGTERM, SIG_DFL) != SIG_ERR;
}

bool act_pin_supervisor(const struct scene *scene)
{
    cpu_set_t set;

    return sched_getaffinity(supervisor_of(scene), sizeof set, &set) == 0 &&
           sched_setaffinity(supervisor_of(scene), sizeof set, &set) == 0;
}

bool act_name_of_machine(const struct scene *scene)
{
    char name[256] = "";

    (void)scene;
    return gethostname(name, sizeof name) == 0 && *name != '\0';
}

bool act_use_keyring(const struct scene *scene)
{
    (void)scene;
    return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, -3, 1) >= 0;
}

bool act_interrupt_all_processors(const struct scene *scene)
{
    (void)scene;
    return syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) == 0;
}

bool act_change_priority(const struct scene *scene)
{
    (void)scene;
    return setpriority(PRIO_PROCESS, 0, 1) == 0;
}

/* Ctrl-C goes to the whole group. */
bool act_leave_process_group(const struct scene *scene)
{
    (void)scene;
    return setpgid(0, 0) == 0;
}

/* SIGSYS among them; SIGKILL cannot be. */
bool act_block_signals(const struct scene *scene)
{
    sigset_t all;

    (void)scene;
    sigfillset(&all);
    return sigprocmask(SIG_BLOCK, &all, NULL) == 0;
}
