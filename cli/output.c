#define _XOPEN_SOURCE 700 /* realpath */
#include "output.h"
#include "cli.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Temporary files that an interrupt has to remove. */
enum { OPEN_AT_ONCE = 4 };
static char pending[OPEN_AT_ONCE][4096];

static void on_signal(int number)
{
    for (int i = 0; i < OPEN_AT_ONCE; i++)
        if (pending[i][0])
            unlink(pending[i]);
    signal(number, SIG_DFL);
    raise(number);
}

/* A signal that the command takes care of itself is left to it. */
static void guard_signal(int number)
{
    struct sigaction now;
    if (sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
        signal(number, on_signal);
}

static bool guard(const char *temporary)
{
    int i = 0;
    while (i < OPEN_AT_ONCE && pending[i][0])
        i++;
    if (i == OPEN_AT_ONCE)
        return false;
    snprintf(pending[i], sizeof pending[i], "%s", temporary);
    guard_signal(SIGINT);
    guard_signal(SIGTERM);
    guard_signal(SIGHUP);
    guard_signal(SIGPIPE);
    return true;
}

static void unguard(const char *temporary)
{
    for (int i = 0; i < OPEN_AT_ONCE; i++)
        if (strcmp(pending[i], temporary) == 0)
            pending[i][0] = 0;
}

static int refuse(Output *output)
{
    complain(BAD_USE, "cannot write %s: %s", output->path, strerror(errno));
    free(output->temporary);
    free(output->target);
    *output = (Output){0};
    return BAD_USE;
}

/* `old`: the file that is to be replaced, whose permissions stay, or NULL. */
static FILE *open_beside(Output *output, const struct stat *old)
{
    output->target = old ? realpath(output->path, NULL) : strdup(output->path);
    size_t size = (output->target ? strlen(output->target) : 0) + sizeof ".XXXXXX";
    output->temporary = malloc(size);
    if (!output->target || !output->temporary || size > sizeof pending[0]) {
        errno = output->target && output->temporary ? ENAMETOOLONG : ENOMEM;
        return NULL;
    }
    snprintf(output->temporary, size, "%s.XXXXXX", output->target);
    int file = mkstemp(output->temporary);
    if (file < 0)
        return NULL;
    mode_t mask = umask(0);
    umask(mask);
    fchmod(file, old ? old->st_mode & 0777 : 0666 & ~mask);
    if (!guard(output->temporary))
        return NULL;
    return fdopen(file, "w");
}

int output_open(Output *output, const char *path)
{
    struct stat about, link;
    bool standard = strcmp(path, "-") == 0, there = stat(path, &about) == 0;
    *output = (Output){.path = standard ? "standard output" : path};
    if (standard)
        output->file = stdout;
    else if (there ? !S_ISREG(about.st_mode) : lstat(path, &link) == 0) /* or a link to a file that is not there yet */
        output->file = fopen(path, "w");
    else
        output->file = open_beside(output, there ? &about : NULL);
    return output->file ? 0 : refuse(output);
}

int output_close(Output *output, bool keep)
{
    if (!output->file)
        return 0;
    bool failed = fflush(output->file) || ferror(output->file);
    if (output->temporary && !failed)
        failed = fsync(fileno(output->file)) != 0;
    if (output->file != stdout)
        failed |= fclose(output->file) != 0;
    if (output->temporary && keep && !failed)
        failed = rename(output->temporary, output->target) != 0;
    int why = errno;
    if (output->temporary) {
        if (!keep || failed)
            unlink(output->temporary);
        unguard(output->temporary);
    }
    if (failed)
        complain(BAD_DATA, "cannot write %s: %s", output->path, strerror(why));
    free(output->temporary);
    free(output->target);
    *output = (Output){0};
    return failed ? BAD_DATA : 0;
}

/* ---- in place ---------------------------------------------------------------------------------------------------- */

int output_direct(FILE **file, const char *path)
{
    *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
    return *file ? 0 : complain(BAD_USE, "cannot write %s: %s", path, strerror(errno));
}

int output_direct_close(FILE *file, const char *name)
{
    bool failed = fflush(file) || ferror(file);
    if (file != stdout)
        failed |= fclose(file) != 0;
    return failed ? complain(BAD_DATA, "%s: not all of it could be written", name) : 0;
}

/* ---- outputs over inputs ----------------------------------------------------------------------------------------- */

static bool about_file(const char *path, int standard, struct stat *about)
{
    bool known = path && (strcmp(path, "-") == 0 ? fstat(standard, about) : stat(path, about)) == 0;
    return known && S_ISREG(about->st_mode);
}

static bool same_file(const char *a, int standard_a, const char *b, int standard_b)
{
    struct stat x, y;
    if (a && b && strcmp(a, b) == 0 && strcmp(a, "-") != 0 && (stat(a, &x) || S_ISREG(x.st_mode)))
        return true;
    return about_file(a, standard_a, &x) && about_file(b, standard_b, &y) && x.st_dev == y.st_dev &&
           x.st_ino == y.st_ino;
}

int outputs_apart(const char *const *outputs, size_t n, const char *const *inputs, size_t m)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < m; j++)
            if (same_file(outputs[i], STDOUT_FILENO, inputs[j], STDIN_FILENO))
                return complain(BAD_USE, "cannot write %s: it is an input", outputs[i]);
        for (size_t j = 0; j < i; j++)
            if (same_file(outputs[i], STDOUT_FILENO, outputs[j], STDOUT_FILENO))
                return complain(BAD_USE, "cannot write %s: two outputs are the same file", outputs[i]);
    }
    return 0;
}
