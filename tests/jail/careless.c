/* SPDX-License-Identifier: ISC */
/*
 * careless.c - the two checks of what a worker wrote, replaced by functions that accept everything.
 *
 * Linked before the library, so that they take the place of its own: the control of the FRAME acts.
 * The rest of both files is the real one.
 */
#define frame_check frame_judge_carefully
#define text_check  text_check_carefully
#include "../../src/base/text.c"
#include "../../src/relay/frame.c"
#undef frame_check
#undef text_check

enum frame_verdict frame_check(
    const struct frame *frame, unsigned sender, const struct frame_limits *limits);
enum text_verdict text_check(const char *bytes, size_t length);

enum frame_verdict frame_check(
    const struct frame *frame, unsigned sender, const struct frame_limits *limits)
{
    (void)frame, (void)sender, (void)limits;
    return FRAME_FINE;
}

enum text_verdict text_check(const char *bytes, size_t length)
{
    (void)bytes, (void)length;
    return TEXT_OK;
}
