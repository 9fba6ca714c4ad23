/*
 * Snapshots in files.
 *
 *     PATH.tmp (locked) -> write -> fsync -> rename to PATH -> fsync of the folder
 *
 * The rename is the one moment of change, and it is atomic: a reader, a kill or a power failure finds the old file or
 * the new one. A PATH.tmp that a kill left behind is not locked any more and is written over.
 */
#define _XOPEN_SOURCE 700 /* readlink */
#include "forks.h"
#include "model.h"
#include "snapshot.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The end of a path, as far as a message has room for it beside the reason. */
static const char *shown(const char *path)
{
    enum { SHOWN = 120 };
    size_t n = strlen(path);
    return n > SHOWN ? path + n - SHOWN : path;
}

/* Fails with the system's reason. */
static int fail_io(AnbError *error, const char *path, const char *what)
{
    const char *end = shown(path);
    return anb_fail(error, ANB_E_IO, "%s%s: cannot %s: %s", end > path ? "..." : "", end, what, strerror(errno));
}

void anb_name_file(AnbError *error, const char *path)
{
    if (!error)
        return;
    const AnbError unnamed = *error;
    const char *end = shown(path);
    anb_fail(error, unnamed.code, "%s%s: %s", end > path ? "..." : "", end, unnamed.message);
    error->position = unnamed.position;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static bool read_fully(int fd, unsigned char *bytes, size_t *size)
{
    size_t at = 0;
    while (at < *size) {
        ssize_t n = read(fd, bytes + at, *size - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        if (n == 0)
            break;
        at += (size_t)n;
    }
    *size = at;
    return true;
}

static int read_open_file(int fd, const char *path, const AnbAllocator *allocator, size_t max_bytes,
                          unsigned char **bytes, size_t *size, AnbError *error)
{
    struct stat status;
    if (fstat(fd, &status))
        return fail_io(error, path, "read");
    if (!S_ISREG(status.st_mode))
        return anb_fail(error, ANB_E_IO, "%s: not a regular file", path);
    if ((uintmax_t)status.st_size > max_bytes)
        return anb_fail(error, ANB_E_LIMIT, "%s: %lld bytes are over the limit of %zu (max_bytes)", path,
                        (long long)status.st_size, max_bytes);
    *size = (size_t)status.st_size;
    *bytes = allocator->alloc(*size + 1, allocator->context);
    if (!*bytes)
        return anb_fail(error, ANB_E_MEMORY, "%s: out of memory", path);
    if (read_fully(fd, *bytes, size))
        return 0;
    int code = fail_io(error, path, "read");
    allocator->free(*bytes, allocator->context);
    return code;
}

int anb_read_file(const char *path, const AnbAllocator *allocator, size_t max_bytes, unsigned char **bytes,
                  size_t *size, AnbError *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail_io(error, path, "open");
    int code = read_open_file(fd, path, allocator, max_bytes, bytes, size, error);
    close(fd);
    return code;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* A full disk shows as an error or as nothing taken. */
static int to_file(void *context, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0) {
        ssize_t n = write(*(int *)context, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = ENOSPC;
        if (n <= 0)
            return ANB_E_IO;
        at += n;
        size -= (size_t)n;
    }
    return 0;
}

static int write_model(const StreamingLearner *model, const AnbSnapshotExtras *extras, int fd, const char *path,
                       AnbError *error)
{
    int code = anb_snapshot_write(model, extras, to_file, &fd, error);
    return code == ANB_E_IO ? fail_io(error, path, "write") : code;
}

static int write_straight(const StreamingLearner *model, const AnbSnapshotExtras *extras, const char *path,
                          AnbError *error)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return fail_io(error, path, "open");
    int code = write_model(model, extras, fd, path, error);
    if (close(fd) && !code)
        code = fail_io(error, path, "write");
    return code;
}

/* Flushes the names in the folder of a path. Some file systems cannot, and say EINVAL. */
static int flush_folder(const char *path, AnbError *error)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t n = slash == path ? 1 : slash ? (size_t)(slash - path) : 0;
    snprintf(folder, sizeof folder, "%.*s", n ? (int)n : 1, n ? path : ".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_io(error, folder, "open");
    int code = fsync(fd) && errno != EINVAL ? fail_io(error, folder, "flush") : 0;
    close(fd);
    return code;
}

/* Opens the temporary file, locked and empty, readable only by those who may read the old file. Another process that
 * held the lock may have renamed the file meanwhile, so the name is checked again. A child that
 * is forked meanwhile does not keep the lock. -1 with the reason. */
static int open_temporary(const char *temporary, const struct stat *old, AnbError *error)
{
    struct stat mine, named;
    mode_t mode =
        old ? (old->st_mode & 0777) | S_IWUSR : 0666; /* writable: a file left by a killed process is opened again */
    int fd = anb_forks_open(temporary, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode);
    if (fd < 0) {
        fail_io(error, temporary, "open");
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) || fstat(fd, &mine) || stat(temporary, &named) || mine.st_ino != named.st_ino ||
        mine.st_dev != named.st_dev) {
        anb_fail(error, ANB_E_IO, "%s: somebody else is saving there", temporary);
        anb_forks_close(fd);
        return -1;
    }
    if (ftruncate(fd, 0) || (old && fchmod(fd, mode))) {
        fail_io(error, temporary, "write");
        anb_forks_close(fd);
        return -1;
    }
    return fd;
}

/* While the file is open its lock keeps others away, so it is renamed before it is closed. */
static int replace(const StreamingLearner *model, const AnbSnapshotExtras *extras, const char *path,
                   const char *temporary, const struct stat *old, AnbError *error)
{
    int fd = open_temporary(temporary, old, error);
    if (fd < 0)
        return ANB_E_IO;
    int code = write_model(model, extras, fd, path, error);
    if (!code && old && fchmod(fd, old->st_mode & 0777))
        code = fail_io(error, path, "set the permissions of");
    if (!code && fsync(fd))
        code = fail_io(error, path, "flush");
    if (!code && rename(temporary, path))
        code = fail_io(error, path, "replace");
    if (code)
        unlink(temporary);
    anb_forks_close(fd);
    return code ? code : flush_folder(path, error);
}

/* Where the links of a path lead, to a file that may not be there yet. False with errno. */
static bool follow(const char *path, char *target)
{
    char next[PATH_MAX];
    ssize_t n = 0;
    size_t folder = 0;
    errno = ENAMETOOLONG;
    if (snprintf(target, PATH_MAX, "%s", path) >= PATH_MAX)
        return false;
    for (int links = 0; links < 40 && (n = readlink(target, next, sizeof next)) >= 0; links++) {
        const char *slash = *next == '/' ? NULL : strrchr(target, '/');
        folder = slash ? (size_t)(slash + 1 - target) : 0;
        errno = ENAMETOOLONG;
        if (folder + (size_t)n >= PATH_MAX)
            return false;
        memcpy(target + folder, next, (size_t)n);
        target[folder + (size_t)n] = 0;
        errno = ELOOP;
    }
    return n < 0;
}

int anb_save(const StreamingLearner *model, const AnbSnapshotExtras *extras, const char *path, AnbError *error)
{
    struct stat old;
    char target[PATH_MAX], temporary[PATH_MAX + 8];
    if (!path || !*path)
        return anb_fail(error, path ? ANB_E_IO : ANB_E_ARGUMENT, "no path to save to");
    bool exists = stat(path, &old) == 0;
    if (exists && !S_ISREG(old.st_mode))
        return write_straight(model, extras, path, error);
    if (!follow(path, target))
        return fail_io(error, path, "open");
    snprintf(temporary, sizeof temporary, "%s.tmp", target);
    return replace(model, extras, target, temporary, exists ? &old : NULL, error);
}
