/* Counts the calls that touch files below a folder, and lets the Nth of them fail.
 *
 * Preloaded into a process, so that the calls of every library in it are seen: Python's, HDF5's and
 * Arrow's. A call counts where its mode can change it: a full disk lets only those fail that write.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FAIL = 0, FULL = 1, SHORT = 2, NOTHING = 3 };
enum { READS = 1, WRITES = 2, MAKES = 4, SYNCS = 8, OTHER = 16 };

static char below[4096];
static int mode;
static long from, to; /* those that fail, by their number from 1 on */
static atomic_long counts[4]; /* of the calls that each mode can change */

void faults_arm(const char *folder, int how, long first, long last)
{
    mode = how;
    from = first;
    to = last;
    for (int each = 0; each < 4; each++)
        atomic_store(&counts[each], 0);
    snprintf(below, sizeof below, "%s", folder);
}

void faults_disarm(void) { below[0] = 0; }
long faults_count(int how) { return atomic_load(&counts[how]); }

static int is_below(const char *path) { return strncmp(path, below, strlen(below)) == 0; }

static int touches(int descriptor)
{
    char name[64], path[4096];
    if (!below[0])
        return 0;
    snprintf(name, sizeof name, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(name, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return is_below(path);
}

static int names(int folder, const char *path)
{
    char whole[8192];
    if (!below[0] || !path)
        return 0;
    if (path[0] == '/')
        return is_below(path);
    if (folder != AT_FDCWD)
        return touches(folder);
    if (!getcwd(whole, sizeof whole))
        return 0;
    return is_below(whole);
}

/* Whether this call, of a kind, is one that fails. */
static int fails(int kind)
{
    static const int changed[4] = {READS | WRITES | MAKES | SYNCS | OTHER, WRITES | MAKES | SYNCS,
                                   READS | WRITES, READS};
    long number = 0;
    for (int each = 0; each < 4; each++)
        if (kind & changed[each]) {
            long of_each = atomic_fetch_add(&counts[each], 1) + 1;
            if (each == mode)
                number = of_each;
        }
    return number && number >= from && number <= to;
}

static int error_of_mode(void)
{
    errno = mode == FULL ? ENOSPC : EIO;
    return -1;
}

#define NEXT(type, name, ...)                                                                      \
    static type (*next)(__VA_ARGS__);                                                              \
    if (!next)                                                                                     \
        next = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

static size_t shorter(size_t size) { return size > 1 ? size / 2 : size; }

#define READ_OR_WRITE(name, buffer_type, kind, parameters, arguments)                              \
    ssize_t name(int descriptor, buffer_type buffer, size_t size parameters)                       \
    {                                                                                              \
        NEXT(ssize_t, name, int, buffer_type, size_t parameters);                                  \
        if (size && touches(descriptor) && fails(kind)) {                                          \
            if (mode == NOTHING)                                                                   \
                return 0;                                                                          \
            if (mode != SHORT)                                                                     \
                return error_of_mode();                                                            \
            size = shorter(size);                                                                  \
        }                                                                                          \
        return next(descriptor, buffer, size arguments);                                           \
    }
#define NO_MORE
#define AT_OFFSET , off_t offset
#define OFFSET , offset
READ_OR_WRITE(read, void *, READS, NO_MORE, NO_MORE)
READ_OR_WRITE(pread, void *, READS, AT_OFFSET, OFFSET)
READ_OR_WRITE(pread64, void *, READS, AT_OFFSET, OFFSET)
READ_OR_WRITE(write, const void *, WRITES, NO_MORE, NO_MORE)
READ_OR_WRITE(pwrite, const void *, WRITES, AT_OFFSET, OFFSET)
READ_OR_WRITE(pwrite64, const void *, WRITES, AT_OFFSET, OFFSET)

/* A short one of several pieces ends within the first. */
#define SEVERAL(name, kind, parameters, arguments)                                                 \
    ssize_t name(int descriptor, const struct iovec *pieces, int number parameters)                \
    {                                                                                              \
        NEXT(ssize_t, name, int, const struct iovec *, int parameters);                            \
        if (number > 0 && pieces[0].iov_len && touches(descriptor) && fails(kind)) {               \
            if (mode == NOTHING)                                                                   \
                return 0;                                                                          \
            if (mode != SHORT)                                                                     \
                return error_of_mode();                                                            \
            struct iovec first = {pieces[0].iov_base, shorter(pieces[0].iov_len)};                 \
            return next(descriptor, &first, 1 arguments);                                          \
        }                                                                                          \
        return next(descriptor, pieces, number arguments);                                         \
    }
#define AT_OFFSET_AND_FLAGS , off_t offset, int flags
#define OFFSET_AND_FLAGS , offset, flags
SEVERAL(readv, READS, NO_MORE, NO_MORE)
SEVERAL(preadv, READS, AT_OFFSET, OFFSET)
SEVERAL(preadv64, READS, AT_OFFSET, OFFSET)
SEVERAL(preadv2, READS, AT_OFFSET_AND_FLAGS, OFFSET_AND_FLAGS)
SEVERAL(preadv64v2, READS, AT_OFFSET_AND_FLAGS, OFFSET_AND_FLAGS)
SEVERAL(writev, WRITES, NO_MORE, NO_MORE)
SEVERAL(pwritev, WRITES, AT_OFFSET, OFFSET)
SEVERAL(pwritev64, WRITES, AT_OFFSET, OFFSET)
SEVERAL(pwritev2, WRITES, AT_OFFSET_AND_FLAGS, OFFSET_AND_FLAGS)
SEVERAL(pwritev64v2, WRITES, AT_OFFSET_AND_FLAGS, OFFSET_AND_FLAGS)

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        NEXT(int, name, const char *, int, ...);                                                   \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode_t permissions = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;             \
        va_end(rest);                                                                              \
        if (names(AT_FDCWD, path) && fails(flags & (O_CREAT | O_TMPFILE) & ~O_DIRECTORY ? MAKES : OTHER)) \
            return error_of_mode();                                                                \
        return next(path, flags, permissions);                                                     \
    }
OPEN(open)
OPEN(open64)

#define OPEN_AT(name)                                                                              \
    int name(int folder, const char *path, int flags, ...)                                         \
    {                                                                                              \
        NEXT(int, name, int, const char *, int, ...);                                              \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode_t permissions = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;             \
        va_end(rest);                                                                              \
        if (names(folder, path) && fails(flags & (O_CREAT | O_TMPFILE) & ~O_DIRECTORY ? MAKES : OTHER)) \
            return error_of_mode();                                                                \
        return next(folder, path, flags, permissions);                                             \
    }
OPEN_AT(openat)
OPEN_AT(openat64)

#define ON_DESCRIPTOR(name, kind, parameters, arguments)                                           \
    int name(int descriptor parameters)                                                            \
    {                                                                                              \
        NEXT(int, name, int parameters);                                                           \
        if (touches(descriptor) && fails(kind))                                                    \
            return error_of_mode();                                                                \
        return next(descriptor arguments);                                                         \
    }
#define LENGTH , off_t length
#define WITH_LENGTH , length
#define SPAN , int flags, off_t first, off_t length
#define WITH_SPAN , flags, first, length
ON_DESCRIPTOR(fsync, SYNCS, NO_MORE, NO_MORE)
ON_DESCRIPTOR(fdatasync, SYNCS, NO_MORE, NO_MORE)
ON_DESCRIPTOR(ftruncate, MAKES, LENGTH, WITH_LENGTH)
ON_DESCRIPTOR(ftruncate64, MAKES, LENGTH, WITH_LENGTH)
ON_DESCRIPTOR(fallocate, MAKES, SPAN, WITH_SPAN)
ON_DESCRIPTOR(fallocate64, MAKES, SPAN, WITH_SPAN)

/* These return the error itself. */
#define ALLOCATE(name)                                                                             \
    int name(int descriptor, off_t first, off_t length)                                            \
    {                                                                                              \
        NEXT(int, name, int, off_t, off_t);                                                        \
        if (touches(descriptor) && fails(MAKES))                                                   \
            return mode == FULL ? ENOSPC : EIO;                                                    \
        return next(descriptor, first, length);                                                    \
    }
ALLOCATE(posix_fallocate)
ALLOCATE(posix_fallocate64)

int rename(const char *old, const char *new)
{
    NEXT(int, rename, const char *, const char *);
    if (names(AT_FDCWD, new) && fails(MAKES))
        return error_of_mode();
    return next(old, new);
}

int renameat(int from_folder, const char *old, int to_folder, const char *new)
{
    NEXT(int, renameat, int, const char *, int, const char *);
    if (names(to_folder, new) && fails(MAKES))
        return error_of_mode();
    return next(from_folder, old, to_folder, new);
}

int renameat2(int from_folder, const char *old, int to_folder, const char *new, unsigned flags)
{
    NEXT(int, renameat2, int, const char *, int, const char *, unsigned);
    if (names(to_folder, new) && fails(MAKES))
        return error_of_mode();
    return next(from_folder, old, to_folder, new, flags);
}

int mkdir(const char *path, mode_t permissions)
{
    NEXT(int, mkdir, const char *, mode_t);
    if (names(AT_FDCWD, path) && fails(MAKES))
        return error_of_mode();
    return next(path, permissions);
}

int link(const char *old, const char *new)
{
    NEXT(int, link, const char *, const char *);
    if (names(AT_FDCWD, new) && fails(MAKES))
        return error_of_mode();
    return next(old, new);
}
