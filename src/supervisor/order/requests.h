/* SPDX-License-Identifier: ISC */
/*
 * requests.h - what workers ask for on behalf of their clients.
 */
#ifndef CHATROOMD_SUPERVISOR_ORDER_REQUESTS_H
#define CHATROOMD_SUPERVISOR_ORDER_REQUESTS_H

#include "supervisor/state.h"

/* What became of a request: it was answered; it waits, and slot->wait says for what; or its worker
 * broke a rule. Unless it was answered, nothing has changed, except that a listing may have got
 * some lines further. */
enum answer { ANSWER_DONE, ANSWER_WAIT, ANSWER_FAULT };

/* Each answers one frame that frame_check() has accepted, in a state in which the worker may send
 * it. */
enum answer answer_publish(struct slot *slot, const struct frame *frame);
enum answer answer_reply(struct slot *slot, const struct frame *frame);
enum answer answer_hello(struct slot *slot, const struct frame *frame);
enum answer answer_rename(struct slot *slot, const struct frame *frame);
enum answer answer_who(struct slot *slot, const struct frame *frame);
enum answer answer_goodbye(struct slot *slot, const struct frame *frame);

#endif
