/* The program under test: run by a shell in a folder of its own. */
#ifndef ANB_TESTS_CLI_H
#define ANB_TESTS_CLI_H

#include "suite.h"
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[256], out[1 << 18], err[1 << 12];

static inline void enter(void)
{
    snprintf(folder, sizeof folder, "/tmp/anabranch-cli-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
}

static inline void leave(void)
{
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(system(command), 0);
}

static inline void write_bytes(const char *name, const void *bytes, size_t n)
{
    FILE *file = fopen(name, "wb");
    ck_assert(file && fwrite(bytes, 1, n, file) == n && fclose(file) == 0);
}

static inline void write_text(const char *name, const char *text)
{
    write_bytes(name, text, strlen(text));
}

static inline void read_text(const char *name, char *text, size_t size)
{
    FILE *file = fopen(name, "rb");
    ck_assert_ptr_nonnull(file);
    size_t n = fread(text, 1, size - 1, file);
    text[n] = 0;
    fclose(file);
}

/* `$A` is the program; `await COMMAND` runs a command until it succeeds, for two minutes at most. Returns the exit
 * status; 1000 + the signal where there was one. */
static inline int run(const char *format, ...)
{
    static const char await[] =
        "await() { n=0; until eval \"$1\" 2>/dev/null; do n=$((n+1)); test $n -le 1200 || return 1; sleep .1; done; }";
    char command[2100], line[1800];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    snprintf(command, sizeof command, "A=\"$ANB_PROGRAM\" IFS='\n'; %s; { %s ; } >out 2>err", await, line);
    int status = system(command);
    read_text("out", out, sizeof out);
    read_text("err", err, sizeof err);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* The number behind a key of the JSON in `out`; NaN for null. */
static inline double json(const char *key)
{
    char quoted[80];
    snprintf(quoted, sizeof quoted, "\"%s\": ", key);
    const char *at = strstr(out, quoted);
    ck_assert_msg(at != NULL, "no %s in %s", key, out);
    at += strlen(quoted);
    return strncmp(at, "null", 4) == 0 ? (double)NAN : strtod(at, NULL);
}

/* Wrong use or bad data: the status, one line on stderr that holds all of the words, nothing on stdout. */
static inline void refused(int got, int status, const char *words)
{
    ck_assert_msg(got == status, "status %d, not %d: %s", got, status, err);
    const char *end = strchr(err, '\n');
    ck_assert_msg(end && end[1] == 0, "not one line: %s", err);
    ck_assert_msg(strncmp(err, "anabranch: ", 11) == 0 && strstr(err, words), "\"%s\" is not in: %s", words, err);
    ck_assert_msg(out[0] == 0, "printed: %s", out);
}

#endif
