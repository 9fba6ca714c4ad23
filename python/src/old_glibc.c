/*
 * stat and fstat by statx, which glibc has since 2.28. They themselves are functions of glibc only since 2.33, and an
 * extension that is built on a newer system shall load on the older ones as well.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static int fill(int folder, const char *path, int flags, struct stat64 *status)
{
    struct statx s;
    if (statx(folder, path, flags, STATX_BASIC_STATS, &s))
        return -1;
    memset(status, 0, sizeof *status);
    status->st_dev = makedev(s.stx_dev_major, s.stx_dev_minor);
    status->st_ino = s.stx_ino;
    status->st_mode = s.stx_mode;
    status->st_nlink = s.stx_nlink;
    status->st_uid = s.stx_uid;
    status->st_gid = s.stx_gid;
    status->st_rdev = makedev(s.stx_rdev_major, s.stx_rdev_minor);
    status->st_size = (long long)s.stx_size;
    status->st_blksize = s.stx_blksize;
    status->st_blocks = (long long)s.stx_blocks;
    status->st_mtime = s.stx_mtime.tv_sec;
    return 0;
}

int stat64(const char *restrict path, struct stat64 *restrict status)
{
    return fill(AT_FDCWD, path, 0, status);
}

int fstat64(int file, struct stat64 *status)
{
    return fill(file, "", AT_EMPTY_PATH, status);
}
