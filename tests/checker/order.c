/* SPDX-License-Identifier: ISC */
/*
 * order.c - walks the order of a run once; see checker.c for the model.
 *
 * Invariants at each place of the walk: a life is in the room if it has joined_at and no left_at;
 * name_now is its name, and `said` is the number of its last message so far. Lives and renames are
 * taken from the log in its order, so that the first difference between log and order is reported.
 */
#include "config.h"

#include "tests/checker/message.h"
#include "tests/checker/state.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

static const struct reason reasons[] = {
    {"closed", "", true, NULL},
    {"quit", " (quit", true, NULL},
    {"connection-lost", " (connection lost)", false, NULL},
    {"stalled", " (too slow)", false, "too slow to read its messages"},
    {"worker-crash", " (connection lost)", false,
        "internal error (the process for this connection crashed)"},
    {"worker-fault", " (connection lost)", false,
        "internal error (the process for this connection was faulty)"},
    {"courier-lost", " (connection lost)", false, NULL},
};

const struct reason *order_reason(const char *word)
{
    for (size_t at = 0; at < sizeof(reasons) / sizeof(reasons[0]); at++)
        if (strcmp(reasons[at].word, word) == 0)
            return &reasons[at];
    return NULL;
}

bool order_is_cut(const char *drain)
{
    static const char *const words[] = {"timeout", "connection-lost", "stalled", "worker-crash",
        "worker-fault", "courier-lost", "killed"};

    for (size_t at = 0; at < sizeof(words) / sizeof(words[0]); at++)
        if (strcmp(words[at], drain) == 0)
            return true;
    return false;
}

static struct reader *reader_of_writer(struct checker *checker, unsigned writer)
{
    for (size_t at = 0; at < checker->run->count; at++)
        if (checker->readers[at].session->writer == writer)
            return &checker->readers[at];
    return NULL;
}

void order_make(struct checker *checker)
{
    const struct reader *witness = &checker->readers[checker->run->witness];

    checker->order = calloc(witness->lines.count + 1, sizeof(*checker->order));
    if (checker->order == NULL)
        abort();
    for (size_t at = 0; at < witness->lines.count; at++)
        if (witness->lines.line[at].kind < LINE_KIND_PRIVATE)
            checker->order[checker->order_count++].line = &witness->lines.line[at];
    checker->report->records = checker->order_count;
}

/* Returns the life that has this name at the place `at` of the order. */
static struct life *life_of_name(struct checker *checker, struct span name, size_t at)
{
    for (size_t number = 0; number < checker->lives.count; number++) {
        struct life *life = &checker->lives.life[number];

        if (life->joined_at != 0 && life->joined_at <= at && life->left_at == SIZE_MAX &&
            span_is(name, life->name_now))
            return life;
    }
    return NULL;
}

/* The next `joined` of the order must be that of the next life of the log. */
static void walk_joined(struct checker *checker, size_t at, size_t *next)
{
    struct record *record = &checker->order[at];
    struct life *life = *next < checker->lives.count ? &checker->lives.life[*next] : NULL;

    if (life == NULL || !span_is(record->line->name, life->name)) {
        report_fault(checker, "the log does not have this join at its place: %.*s",
            SHOWN(record->line->whole));
        return;
    }
    ++*next;
    record->life = life;
    record->sequence = life->joined;
    life->joined_at = at + 1;
    memcpy(life->name_now, life->name, sizeof(life->name_now));
}

static void walk_left(struct checker *checker, size_t at)
{
    struct record *record = &checker->order[at];
    struct life *life = life_of_name(checker, record->line->name, at);
    const struct reason *reason;
    size_t length;

    if (life == NULL) {
        report_fault(checker, "one leaves who is not there: %.*s", SHOWN(record->line->whole));
        return;
    }
    record->life = life;
    life->left_at = at;
    if (!life->ended) {
        report_fault(checker, "the log does not have this end: %.*s", SHOWN(record->line->whole));
        return;
    }
    reason = order_reason(life->reason);
    if (reason == NULL)
        return;
    length = strlen(reason->told);
    if (record->line->rest.length < length || (length == 0 && record->line->rest.length > 0) ||
        memcmp(record->line->rest.text, reason->told, length) != 0)
        report_fault(checker, "the room is told: %.*s, but the log says %s",
            SHOWN(record->line->whole), life->reason);
}

static void walk_renamed(struct checker *checker, size_t at, size_t *next)
{
    struct record *record = &checker->order[at];
    struct life *life = life_of_name(checker, record->line->name, at);

    if (*next < checker->lives.rename_count)
        record->sequence = checker->lives.renames[(*next)++];
    else
        report_fault(
            checker, "the log does not have this rename: %.*s", SHOWN(record->line->whole));
    if (life == NULL) {
        report_fault(checker, "one is renamed who is not there: %.*s", SHOWN(record->line->whole));
        return;
    }
    record->life = life;
    snprintf(life->name_now, sizeof(life->name_now), "%.*s", SHOWN(record->line->rest));
}

/* Returns whether a text is UTF-8 without control characters other than tabs, by the rules of
 * the C library (with the locale of order_walk), not by the server's. */
static bool is_clean(struct span text)
{
    mbstate_t state = {0};
    bool clean = true;

    for (size_t at = 0, length; clean && at < text.length; at += length) {
        wchar_t character;

        length = mbrtowc(&character, text.text + at, text.length - at, &state);
        clean = length != 0 && length <= text.length - at &&
                (character == L'\t' || !iswcntrl((wint_t)character));
    }
    return clean;
}

/* A message of no session: that of a stranger with the name that is shown. */
static void walk_strange_message(struct checker *checker, size_t at)
{
    struct record *record = &checker->order[at];
    const struct line *line = record->line;

    record->life = life_of_name(checker, line->name, at);
    if (record->life == NULL || record->life->claimed)
        report_fault(checker, "no stranger may have said: %.*s", SHOWN(line->whole));
}

static void walk_message(struct checker *checker, size_t at)
{
    struct record *record = &checker->order[at];
    const struct line *line = record->line;
    struct reader *reader = NULL;
    unsigned long number;
    unsigned writer;
    bool is_whole = message_parse(line->rest.text, line->rest.length, &writer, &number);

    if (is_whole)
        reader = reader_of_writer(checker, writer);
    if (reader == NULL && checker->run->strangers) {
        walk_strange_message(checker, at);
        return;
    }
    if (!is_whole)
        return; /* reported already */
    if (reader == NULL || reader->life == NULL || reader->life->joined_at == 0 ||
        reader->life->left_at != SIZE_MAX) {
        report_fault(checker, "writer %u is not there, but says: %.*s", writer, SHOWN(line->whole));
        return;
    }
    record->life = reader->life;
    if (!span_is(line->name, reader->life->name_now))
        report_fault(checker, "writer %u has the name %s, but is shown as: %.*s", writer,
            reader->life->name_now, SHOWN(line->whole));
    if (number != reader->life->said + 1)
        report_fault(checker, "writer %u: after its message %lu comes: %.*s", writer,
            reader->life->said, SHOWN(line->whole));
    reader->life->said = number;
}

/* The witness is in the room before the order begins. */
static size_t place_witness(struct checker *checker)
{
    struct life *life = checker->readers[checker->run->witness].life;

    if (life == NULL || life != checker->lives.life) {
        report_fault(checker, "the witness is not the first to join");
        return 0;
    }
    life->joined_at = 1;
    memcpy(life->name_now, life->name, sizeof(life->name_now));
    return 1;
}

void order_walk(struct checker *checker)
{
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0), before = uselocale(utf8);
    size_t joins = place_witness(checker), renames = 0;

    for (size_t at = 0; at < checker->order_count; at++) {
        if (!is_clean(checker->order[at].line->whole))
            report_fault(checker, "this is not clean: %.*s", SHOWN(checker->order[at].line->whole));
        switch (checker->order[at].line->kind) {
        case LINE_KIND_JOINED:
            walk_joined(checker, at, &joins);
            break;
        case LINE_KIND_LEFT:
            walk_left(checker, at);
            break;
        case LINE_KIND_RENAMED:
            walk_renamed(checker, at, &renames);
            break;
        case LINE_KIND_MESSAGE:
            walk_message(checker, at);
            break;
        default:
            break;
        }
    }
    uselocale(before);
    freelocale(utf8);
    if (joins < checker->lives.count)
        report_fault(
            checker, "the room is not told that %s joined", checker->lives.life[joins].name);
    if (renames < checker->lives.rename_count)
        report_fault(checker, "the room is not told of %zu renames of the log",
            checker->lives.rename_count - renames);
}
