/* SPDX-License-Identifier: ISC */
/*
 * prove_text.c - what Eva starts with to analyse text_check(): any length up to TEXT_BOUND, any
 * bytes.
 *
 * The text ends where its array ends, so that reading one byte beyond it raises an alarm.
 */
#include "base/text.h"

#include <__fc_builtin.h>

#ifndef TEXT_BOUND
#error "TEXT_BOUND says to what length texts are arbitrary"
#endif

int main(void);

int main(void)
{
    static char bytes[TEXT_BOUND];
    size_t length = (size_t)Frama_C_unsigned_long_interval(0, TEXT_BOUND);
    enum text_verdict verdict;

    //@ split length;
    Frama_C_make_unknown(bytes, sizeof(bytes));
    verdict = text_check(bytes + (TEXT_BOUND - length), length);
    //@ assert TEXT_OK <= verdict <= TEXT_NOT_UTF8;
    return (int)verdict;
}
