#include "output.h"
#include "cli.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What an interrupt must not leave behind; one output is open at a time. */
static char pending[4096];

static void on_signal(int number)
{
    unlink(pending);
    signal(number, SIG_DFL);
    raise(number);
}

static void guard(const char *temporary)
{
    snprintf(pending, sizeof pending, "%s", temporary);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    signal(SIGHUP, on_signal);
    signal(SIGPIPE, on_signal);
}

static void unguard(void)
{
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
}

static int refuse(Output *output)
{
    complain(BAD_USE, "cannot write %s: %s", output->path, strerror(errno));
    free(output->temporary);
    *output = (Output){0};
    return BAD_USE;
}

static FILE *open_beside(Output *output)
{
    size_t size = strlen(output->path) + sizeof ".XXXXXX";
    output->temporary = malloc(size);
    if (!output->temporary || size > sizeof pending) {
        errno = output->temporary ? ENAMETOOLONG : ENOMEM;
        return NULL;
    }
    snprintf(output->temporary, size, "%s.XXXXXX", output->path);
    int file = mkstemp(output->temporary);
    if (file < 0)
        return NULL;
    mode_t mask = umask(0);
    umask(mask);
    fchmod(file, 0666 & ~mask);
    guard(output->temporary);
    return fdopen(file, "w");
}

int output_open(Output *output, const char *path)
{
    struct stat about;
    *output = (Output){.path = path};
    if (strcmp(path, "-") == 0)
        output->file = stdout;
    else if (stat(path, &about) == 0 && !S_ISREG(about.st_mode))
        output->file = fopen(path, "w");
    else
        output->file = open_beside(output);
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
        failed = rename(output->temporary, output->path) != 0;
    int why = errno;
    if (output->temporary) {
        if (!keep || failed)
            unlink(output->temporary);
        unguard();
    }
    if (failed)
        complain(BAD_DATA, "cannot write %s: %s", output->path, strerror(why));
    free(output->temporary);
    *output = (Output){0};
    return failed ? BAD_DATA : 0;
}
