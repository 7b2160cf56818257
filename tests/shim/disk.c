/* A disk that a test makes fail: preloaded into the server, it looks at files before each sync and write.
 *
 *   $DISK_CONTROL/hold   while it exists, a sync does not return; `held` is created when one waits
 *   $DISK_CONTROL/fail   while it exists, a sync fails
 *   $DISK_CONTROL/full   while it exists, a write to the store finds no space
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

static void path_of(char *path, size_t size, const char *name) {
    const char *directory = getenv("DISK_CONTROL");
    snprintf(path, size, "%s/%s", directory ? directory : "/nonexistent", name);
}

static int is_set(const char *name) {
    char path[4096];
    path_of(path, sizeof path, name);
    return access(path, F_OK) == 0;
}

static int before_sync(void) {
    if (is_set("fail")) {
        errno = EIO;
        return -1;
    }
    while (is_set("hold")) {
        char path[4096];
        path_of(path, sizeof path, "held");
        int file = open(path, O_CREAT | O_WRONLY, 0600);
        if (file >= 0) close(file);
        usleep(1000);
    }
    return 0;
}

int fsync(int fd) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    return before_sync() ? -1 : real(fd);
}

int fdatasync(int fd) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    return before_sync() ? -1 : real(fd);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    static ssize_t (*real)(int, const void *, size_t, off64_t);
    if (!real) real = (ssize_t (*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
    if (is_set("full")) {
        errno = ENOSPC;
        return -1;
    }
    return real(fd, bytes, count, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    return pwrite64(fd, bytes, count, at);
}
