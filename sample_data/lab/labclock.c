/* A clock that the lab can set: preloaded into every program of a host by /etc/ld.so.preload.
 *
 * All programs map the same file, /etc/labclock: a count, a number of microseconds or -1, and that
 * many pairs (true time, shift from then on), in nanoseconds.  The last shift is added to the wall clock.  libfaketime does more, but
 * Redis and Rspamd hang under it: it allocates memory when jemalloc first asks for the time.  Here
 * nothing allocates, and everything but the two waits is a bare system call.  The monotonic clock
 * is left alone, so relative waits are real.
 *
 * Times of files: one that the kernel set is a true time; it is shown with the shift of its own
 * moment.  One that a program set (Postfix writes a deferred message's next try into its file's
 * time) lies before the lab's first true time and is kept as it is.
 *
 * The microseconds, unless -1, are what Postfix's cleanup reads as the fraction of every second.  It
 * makes short queue ids of them and of the file's inode number; so ids come back as soon as inodes
 * do, which otherwise happens once in some thousand mails.
 *
 * Build: cc -shared -fPIC -O2 -o labclock.so labclock.c
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL

struct change {
    int64_t since;
    int64_t shift;
};

struct clock_file {
    volatile int64_t count;
    volatile int64_t microseconds;
    struct change changes[4094];
};

static const struct clock_file *file;
static int is_cleanup;

__attribute__((constructor)) static void map_file(void)
{
    int handle = syscall(SYS_openat, AT_FDCWD, "/etc/labclock", O_RDONLY | O_CLOEXEC, 0);
    if (handle < 0)
        return;
    void *place = mmap(NULL, sizeof(struct clock_file), PROT_READ, MAP_SHARED, handle, 0);
    syscall(SYS_close, handle);
    if (place != MAP_FAILED)
        file = place;
    is_cleanup = strcmp(program_invocation_short_name, "cleanup") == 0;
}

static int64_t shift(void)
{
    return file && file->count ? file->changes[file->count - 1].shift : 0;
}

/* The shift for a file's time: that of its own moment, none for a time that a program chose. */
static int64_t shift_at(const struct timespec *stamp)
{
    int64_t when = stamp->tv_sec * SECOND + stamp->tv_nsec;
    for (int64_t index = file ? file->count - 1 : -1; index >= 0; index--)
        if (when >= file->changes[index].since)
            return file->changes[index].shift;
    return 0;
}

static void move(struct timespec *stamp, int64_t by)
{
    int64_t total = stamp->tv_sec * SECOND + stamp->tv_nsec + by;
    stamp->tv_sec = total / SECOND;
    stamp->tv_nsec = total % SECOND;
    if (stamp->tv_nsec < 0) {
        stamp->tv_nsec += SECOND;
        stamp->tv_sec -= 1;
    }
}

/* -- asking for the time ------------------------------------------------- */

int clock_gettime(clockid_t clock, struct timespec *stamp)
{
    int result = syscall(SYS_clock_gettime, clock, stamp);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        move(stamp, shift());
    return result;
}

int gettimeofday(struct timeval *restrict value, void *restrict zone)
{
    struct timespec stamp;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &stamp))
        return -1;
    value->tv_sec = stamp.tv_sec;
    value->tv_usec = stamp.tv_nsec / 1000;
    if (is_cleanup && file && file->microseconds >= 0)
        value->tv_usec = file->microseconds;
    return 0;
}

time_t time(time_t *place)
{
    struct timespec stamp;
    clock_gettime(CLOCK_REALTIME, &stamp);
    if (place)
        *place = stamp.tv_sec;
    return stamp.tv_sec;
}

int timespec_get(struct timespec *stamp, int base)
{
    clock_gettime(CLOCK_REALTIME, stamp);
    return base;
}

/* -- waiting until a time ------------------------------------------------ */

/* A deadline after 2001 is one of the wall clock; a smaller one is of the monotonic clock and stays as it is. */
static struct timespec real_deadline(const struct timespec *deadline)
{
    struct timespec real = *deadline;
    if (real.tv_sec > 1000000000)
        move(&real, -shift());
    return real;
}

int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex, const struct timespec *restrict deadline)
{
    static int (*next)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    if (!next)
        next = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    struct timespec real = real_deadline(deadline);
    return next(condition, mutex, &real);
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict deadline)
{
    static int (*next)(sem_t *, const struct timespec *);
    if (!next)
        next = dlsym(RTLD_NEXT, "sem_timedwait");
    struct timespec real = real_deadline(deadline);
    return next(semaphore, &real);
}

/* -- the times of files -------------------------------------------------- */

static int shown(int result, struct stat *entry)
{
    if (result == 0) {
        move(&entry->st_atim, shift_at(&entry->st_atim));
        move(&entry->st_mtim, shift_at(&entry->st_mtim));
        move(&entry->st_ctim, shift_at(&entry->st_ctim));
    }
    return result;
}

int fstatat(int folder, const char *restrict path, struct stat *restrict entry, int flags)
{
    return shown(syscall(SYS_newfstatat, folder, path, entry, flags), entry);
}

int stat(const char *restrict path, struct stat *restrict entry)
{
    return fstatat(AT_FDCWD, path, entry, 0);
}

int lstat(const char *restrict path, struct stat *restrict entry)
{
    return fstatat(AT_FDCWD, path, entry, AT_SYMLINK_NOFOLLOW);
}

int fstat(int handle, struct stat *entry)
{
    return shown(syscall(SYS_fstat, handle, entry), entry);
}

/* On 64-bit machines the "64" structures are the same. */
int fstatat64(int folder, const char *restrict path, struct stat64 *restrict entry, int flags)
{
    return fstatat(folder, path, (struct stat *)entry, flags);
}

int stat64(const char *restrict path, struct stat64 *restrict entry)
{
    return stat(path, (struct stat *)entry);
}

int lstat64(const char *restrict path, struct stat64 *restrict entry)
{
    return lstat(path, (struct stat *)entry);
}

int fstat64(int handle, struct stat64 *entry)
{
    return fstat(handle, (struct stat *)entry);
}

int statx(int folder, const char *restrict path, int flags, unsigned int mask, struct statx *restrict entry)
{
    int result = syscall(SYS_statx, folder, path, flags, mask, entry);
    if (result == 0) {
        struct statx_timestamp *places[] = {&entry->stx_atime, &entry->stx_mtime, &entry->stx_ctime, &entry->stx_btime};
        for (int index = 0; index < 4; index++) {
            struct timespec stamp = {places[index]->tv_sec, places[index]->tv_nsec};
            move(&stamp, shift_at(&stamp));
            places[index]->tv_sec = stamp.tv_sec;
            places[index]->tv_nsec = stamp.tv_nsec;
        }
    }
    return result;
}
