/* Complaints of commands on stderr; also counts as options, and the end of standard output, which may complain. */
#include "cli.h"
#include "hint.h"
#include <anabranch/anabranch.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int complain(int status, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 127)
            *p = '?';
    fflush(stdout);
    fprintf(stderr, "anabranch: %s\n", text);
    return status;
}

/* What is wrong with a learner as a whole has no place. */
int complain_of_expression(const AnbError *error, const char *text)
{
    bool placed = error->position > 0 || error->code == ANB_E_SYNTAX || error->code == ANB_E_UNKNOWN;
    if (!placed)
        return complain(BAD_USE, "%s (in the learner \"%s\")", error->message, text);
    char hint[HINT_SIZE] = "";
    if (error->code == ANB_E_UNKNOWN)
        hint_of(text, error->position, hint);
    return complain(BAD_USE, "%s%s (at byte %zu of the learner \"%s\")", error->message, hint, error->position, text);
}

int count_option(const char *name, const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
    char *end;
    if (!text)
        return 0;
    errno = 0;
    unsigned long long read = strtoull(text, &end, 10);
    bool whole = *text >= '0' && *text <= '9' && !*end && !errno && read >= least && read <= most;
    if (!whole && most == UINT64_MAX)
        return complain(BAD_USE, "--%s takes a whole number of at least %llu, not \"%s\"", name,
                        (unsigned long long)least, text);
    if (!whole)
        return complain(BAD_USE, "--%s takes a whole number from %llu to %llu, not \"%s\"", name,
                        (unsigned long long)least, (unsigned long long)most, text);
    *value = read;
    return 0;
}

int finish_stdout(int status)
{
    if (fflush(stdout) || ferror(stdout))
        return complain(BAD_DATA, "cannot write to standard output: %s", strerror(errno));
    return status;
}

const char *default_learner(void)
{
    for (const StreamingLearnerType *const *type = anb_learner_types(); *type; type++)
        if (strcmp((*type)->name, "auto") == 0)
            return "auto";
    return "scale(moe(linear, rls, rls(lambda=0.99), mean, top_k=2))";
}

int write_to_file(void *context, const void *text, size_t size)
{
    return fwrite(text, 1, size, context) == size ? 0 : ANB_E_IO;
}
