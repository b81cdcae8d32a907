/* SPDX-License-Identifier: ISC */
/*
 * checker.c - the delivery checker; see checker.h for what it checks.
 *
 * Model:
 * 1. The log gives the lives (lives.c), the bytes of each session its lines (lines.c), and the
 *    public lines of the witness the order.
 * 2. A session is the life with its address and its first name. Addresses that occur again are
 *    taken in turn, since a port is free again only after its connection is gone.
 * 3. The order is walked once: the k-th `joined` is that of the k-th life, names follow renames,
 *    and every message must be from the life whose session has its writer's number.
 * 4. The public lines of each session are compared with the order from behind its `joined`.
 *
 * Every fault is counted. Of each session only the first difference is reported, since everything
 * after it would differ too.
 */
#include "config.h"

#include "tests/checker/checker.h"

#include "tests/checker/message.h"
#include "tests/checker/state.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned writer_of(const struct reader *reader)
{
    return reader->session->writer;
}

/* --- who is who --- */

static void find_life(struct checker *checker, struct reader *reader)
{
    const struct lines *lines = &reader->lines;

    if (lines->count == 0)
        return;
    if (lines->line[0].kind != LINE_KIND_WELCOME) {
        /* A refused client receives one error line and nothing else. */
        if (lines->count > 1 || lines->line[0].kind != LINE_KIND_ERROR)
            report_fault(checker, "writer %u: its first line is no welcome: %.*s",
                writer_of(reader), SHOWN(lines->line[0].whole));
        return;
    }
    for (size_t at = 0; at < checker->lives.count; at++) {
        struct life *life = &checker->lives.life[at];

        if (!life->claimed && strcmp(life->address, reader->session->address) == 0 &&
            span_is(lines->line[0].name, life->name)) {
            life->claimed = true;
            reader->life = life;
            return;
        }
    }
    report_fault(checker, "writer %u: the log has no join of %.*s from %s", writer_of(reader),
        SHOWN(lines->line[0].name), reader->session->address);
}

/* --- the lines of one session by themselves --- */

/* The errors of unknown commands arrive in order, each once. */
static void check_answer(struct checker *checker, struct reader *reader, const struct line *line,
    unsigned long *answered)
{
    char expected[80];

    ++*answered;
    snprintf(
        expected, sizeof(expected), "Unknown command /ask%lu; /help lists the commands", *answered);
    if (!span_is(line->rest, expected) || *answered > reader->session->asked)
        report_fault(checker, "writer %u: answer number %lu is: %.*s", writer_of(reader), *answered,
            SHOWN(line->rest));
}

/* Returns whether this is the client's last line, which says why it was disconnected. The reason
 * must be that of the log. */
static bool check_goodbye(struct checker *checker, const struct reader *reader, size_t at)
{
    static const char start[] = "You are disconnected: ";
    struct span rest = reader->lines.line[at].rest;
    const struct life *life = reader->life;
    const struct reason *reason;

    if (rest.length < strlen(start) || memcmp(rest.text, start, strlen(start)) != 0)
        return false;
    rest = (struct span){rest.text + strlen(start), rest.length - strlen(start)};
    reason = life->ended ? order_reason(life->reason) : NULL;
    if (reason == NULL || reason->why == NULL || !span_is(rest, reason->why))
        report_fault(checker,
            "writer %u: is told that it ends for a reason that is not the log's: %.*s",
            writer_of(reader), SHOWN(rest));
    if (at + 1 < reader->lines.count || reader->lines.cut > 0)
        report_fault(checker, "writer %u: goes on after its last line", writer_of(reader));
    return true;
}

static void check_line(
    struct checker *checker, struct reader *reader, size_t at, unsigned long *answered)
{
    const struct line *line = &reader->lines.line[at];
    unsigned long number;
    unsigned writer;

    switch (line->kind) {
    case LINE_KIND_MESSAGE:
        /* If there are strangers, the order shows whether one may have said it. */
        if (!checker->run->strangers &&
            !message_parse(line->rest.text, line->rest.length, &writer, &number))
            report_fault(checker, "writer %u: got a damaged message: %.*s", writer_of(reader),
                SHOWN(line->whole));
        break;
    case LINE_KIND_WELCOME:
        if (at > 0)
            report_fault(checker, "writer %u: is welcomed twice", writer_of(reader));
        break;
    case LINE_KIND_ERROR:
        if (reader->life != NULL && !check_goodbye(checker, reader, at))
            check_answer(checker, reader, line, answered);
        break;
    case LINE_KIND_UNKNOWN:
        report_fault(checker, "writer %u: got a line of no known form: %.*s", writer_of(reader),
            SHOWN(line->whole));
        break;
    default:
        break;
    }
}

/* --- one session beside the order --- */

/* Returns whether the record's own client does not receive it. */
static bool is_own(const struct reader *reader, const struct record *record)
{
    return record->life == reader->life && record->line->kind != LINE_KIND_RENAMED;
}

/* Returns what is wrong with a line that is not the one at `expected`, for the text of the
 * fault. */
static const char *misplacement(
    struct checker *checker, const struct reader *reader, const struct line *line, size_t expected)
{
    for (size_t at = 0; at < checker->order_count; at++) {
        if (!span_same(checker->order[at].line->whole, line->whole))
            continue;
        if (is_own(reader, &checker->order[at]))
            return "its own";
        if (at >= reader->life->left_at)
            return "from after its end";
        return at < expected ? "one that it had, or from before its time"
                             : "a later one, so that there is a gap";
    }
    return "one that the witness did not get";
}

static size_t skip_own(struct checker *checker, const struct reader *reader, size_t at)
{
    while (at < checker->order_count && is_own(reader, &checker->order[at]))
        at++;
    return at;
}

/* Returns the end of what a session may receive: its `left`, or the end of the order. */
static size_t limit_of(struct checker *checker, const struct reader *reader)
{
    size_t left_at = reader->life->left_at;

    return left_at < checker->order_count ? left_at : checker->order_count;
}

/* Returns whether everything that it has received is what follows in the order. */
static bool lay_beside(struct checker *checker, struct reader *reader)
{
    size_t at = skip_own(checker, reader, reader->life->joined_at - 1);
    size_t limit = limit_of(checker, reader);

    reader->reached = at;
    for (size_t number = 0; number < reader->lines.count; number++) {
        const struct line *line = &reader->lines.line[number];

        if (line->kind > LINE_KIND_PRIVATE)
            continue;
        at = skip_own(checker, reader, reader->reached);
        if (at >= limit || !span_same(checker->order[at].line->whole, line->whole)) {
            report_fault(checker, "writer %u: its line %zu is %s: %.*s", writer_of(reader),
                number + 1, misplacement(checker, reader, line, at), SHOWN(line->whole));
            return false;
        }
        reader->reached = at + 1;
    }
    return true;
}

/* --- how a session ended --- */

/* It must have received everything up to `limit`, to the last byte, and have said everything. */
static void check_whole(struct checker *checker, const struct reader *reader, size_t limit)
{
    size_t at = skip_own(checker, reader, reader->reached);

    if (at < limit)
        report_fault(checker,
            "writer %u (slot %lu, generation %lu, %s): the next record is missing, and all after "
            "it: "
            "%.*s",
            writer_of(reader), reader->life->slot, reader->life->generation,
            reader->life->ended ? reader->life->reason : "still there",
            SHOWN(checker->order[at].line->whole));
    if (reader->lines.cut > 0)
        report_fault(checker, "writer %u: its last line is cut", writer_of(reader));
}

static void check_said(struct checker *checker, const struct reader *reader, bool all)
{
    unsigned long said = reader->session->said;

    if (reader->life->said > said || (all && reader->life->said < said))
        report_fault(checker, "writer %u: said %lu messages, and %lu came", writer_of(reader), said,
            reader->life->said);
}

static void check_answered(
    struct checker *checker, const struct reader *reader, unsigned long answered, bool all)
{
    if (all && answered < reader->session->asked)
        report_fault(checker, "writer %u: asked %lu times, and got %lu answers", writer_of(reader),
            reader->session->asked, answered);
}

/* It must not have received more than precedes the first missing record of the log. A worker
 * that is killed after a write and before it has published that leaves the server unaware of the
 * last bytes. */
static void check_first_missing(struct checker *checker, const struct reader *reader)
{
    const struct life *life = reader->life;

    if (life->first_missing == 0)
        return;
    if (life->first_missing < life->joined)
        report_fault(checker, "writer %u: misses a record from before it joined, says the log",
            writer_of(reader));
    if (strcmp(life->reason, "worker-crash") == 0 || strcmp(life->drain, "worker-crash") == 0)
        return;
    for (size_t at = life->joined_at; at < reader->reached; at++)
        if (checker->order[at].sequence >= life->first_missing &&
            checker->order[at].sequence != 0 && !is_own(reader, &checker->order[at])) {
            report_fault(checker, "writer %u: got what it has not got, says the log: %.*s",
                writer_of(reader), SHOWN(checker->order[at].line->whole));
            return;
        }
}

/* It was disconnected early: the log has the reason, and the room was told. */
static void check_ended(struct checker *checker, const struct reader *reader)
{
    const struct life *life = reader->life;
    const struct reason *reason = order_reason(life->reason);

    checker->report->ended++;
    if (reason == NULL)
        report_fault(checker, "writer %u: ended for no known reason: \"%s\"", writer_of(reader),
            life->reason);
    else if (reason->asked_for ? !order_is_cut(life->drain) : strcmp(life->drain, "none") != 0)
        report_fault(checker, "writer %u: %s, and its drain is \"%s\"", writer_of(reader),
            life->reason, life->drain);
    check_first_missing(checker, reader);
}

/* According to the log it is still connected. Returns whether it must have received everything. */
static bool check_staying(struct checker *checker, const struct reader *reader)
{
    const struct checker_session *session = reader->session;

    if (session->wish == CHECKER_STAYS && session->sight == CHECKER_SEES_OPEN) {
        check_whole(checker, reader, checker->order_count);
        return true;
    }
    report_fault(checker, "writer %u: its connection ended, and the log has no word of it",
        writer_of(reader));
    return false;
}

/* It has a `left`. Returns whether it must have received everything. */
static bool check_leaving(struct checker *checker, const struct reader *reader)
{
    const struct checker_session *session = reader->session;
    const struct life *life = reader->life;
    const struct reason *reason = order_reason(life->reason);
    bool orderly = reason != NULL && reason->asked_for && life->first_missing == 0 &&
                   strcmp(life->drain, "done") == 0;

    if (life->left_at == SIZE_MAX)
        report_fault(checker, "writer %u: the room is not told that it left (%s)",
            writer_of(reader), life->reason);
    if (reason != NULL && reason->asked_for && session->wish == CHECKER_STAYS)
        report_fault(checker, "writer %u: the log says %s, but it did not ask to leave",
            writer_of(reader), life->reason);
    if (!orderly) {
        check_ended(checker, reader);
        return false;
    }
    if (session->wish != CHECKER_FINISHES || session->sight == CHECKER_SEES_OPEN)
        return false;
    if (session->sight == CHECKER_SEES_ERROR)
        report_fault(checker, "writer %u: its orderly end was a reset", writer_of(reader));
    check_whole(checker, reader, limit_of(checker, reader));
    return true;
}

static void check_cursor(struct checker *checker, struct reader *reader)
{
    unsigned long answered = 0;
    bool whole;

    for (size_t at = 0; at < reader->lines.count; at++)
        check_line(checker, reader, at, &answered);
    checker->report->deliveries += reader->lines.count;
    if (reader->life == NULL || reader->life->joined_at == 0)
        return;
    if (!lay_beside(checker, reader))
        return;
    whole = reader->life->ended ? check_leaving(checker, reader) : check_staying(checker, reader);
    check_said(checker, reader, whole);
    check_answered(checker, reader, answered, whole);
}

bool checker_check(const struct checker_run *run, struct checker_report *report)
{
    struct checker checker = {.run = run, .report = report};

    *report = (struct checker_report){.faults = 0};
    lives_make(&checker.lives, run->server_log);
    checker.readers = calloc(run->count, sizeof(*checker.readers));
    if (checker.readers == NULL)
        abort();
    if (checker.lives.lost)
        report_fault(&checker, "the log is not whole: the server lost lines of it");
    if (checker.lives.unmatched > 0)
        report_fault(&checker, "the log is not whole: %zu leaves have no join, the first: %s",
            checker.lives.unmatched, checker.lives.unmatched_line);
    for (size_t at = 0; at < run->count; at++) {
        struct reader *reader = &checker.readers[at];

        reader->session = &run->sessions[at];
        lines_make(&reader->lines, reader->session->received, reader->session->length);
        find_life(&checker, reader);
    }
    order_make(&checker);
    order_walk(&checker);
    for (size_t at = 0; at < run->count; at++)
        check_cursor(&checker, &checker.readers[at]);
    for (size_t at = 0; at < run->count; at++)
        lines_free(&checker.readers[at].lines);
    free(checker.readers);
    free(checker.order);
    lives_free(&checker.lives);
    return report->faults == 0;
}
