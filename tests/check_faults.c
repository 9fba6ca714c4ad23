/* Saving to a file when things go wrong: the old model or the new one is there, and what went wrong is said. */
#define _XOPEN_SOURCE 700
#include "suite.h"
#include "zoo.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char folder[64], path[128], temporary[160];

static void enter(void)
{
    strcpy(folder, "/tmp/anabranch-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/model.anb", folder);
    snprintf(temporary, sizeof temporary, "%s.tmp", path);
}

static void leave(void)
{
    chmod(folder, 0755);
    unlink(path);
    unlink(temporary);
    ck_assert_int_eq(rmdir(folder), 0);
}

static StreamingLearner *model_of(unsigned seed, size_t samples)
{
    ZooStream s = zoo_stream(seed, false);
    StreamingLearner *model = anb_parse(ZOO_FEATURES, "scale(moe(linear, rls))", NULL, NULL);
    zoo_train(model, &s, samples);
    return model;
}

static bool file_holds(const StreamingLearner *model)
{
    StreamingLearner *loaded = anb_load(path, NULL, NULL);
    bool same = loaded && anb_equal(loaded, model);
    anb_free(loaded);
    return same;
}

static bool exists(const char *name)
{
    return access(name, F_OK) == 0;
}

/* ---- what is promised of a file ---------------------------------------------------------------------------------- */

START_TEST(a_file_is_replaced_as_a_whole)
{
    char link[160];
    struct stat status;
    StreamingLearner *a = model_of(1, 100), *b = model_of(2, 200);
    ck_assert_int_eq(anb_save(a, NULL, path, NULL), 0);
    ck_assert(file_holds(a) && !exists(temporary));
    ck_assert_int_eq(chmod(path, 0640), 0);
    snprintf(link, sizeof link, "%s/link", folder);
    ck_assert_int_eq(symlink("model.anb", link), 0);
    ck_assert_int_eq(anb_save(b, NULL, link, NULL), 0);
    ck_assert(file_holds(b) && !exists(temporary));
    ck_assert_int_eq(lstat(link, &status), 0);
    ck_assert(S_ISLNK(status.st_mode));
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_int_eq(status.st_mode & 0777, 0640);
    unlink(link);
    anb_free(a);
    anb_free(b);
}
END_TEST

/* A link to a file that is not there yet stays, and the file is made where it leads to; links in a circle are told. */
START_TEST(a_link_is_followed_to_a_new_file)
{
    char link[160], second[160];
    struct stat status;
    AnbError error = {0};
    StreamingLearner *model = model_of(1, 100);
    unlink(path);
    snprintf(link, sizeof link, "%s/link", folder);
    snprintf(second, sizeof second, "%s/second", folder);
    ck_assert_int_eq(symlink("model.anb", link), 0);
    ck_assert_int_eq(symlink(link, second), 0);
    ck_assert_int_eq(anb_save(model, NULL, second, &error), 0);
    ck_assert(file_holds(model) && !exists(temporary));
    ck_assert_int_eq(lstat(second, &status), 0);
    ck_assert(S_ISLNK(status.st_mode));
    unlink(link);
    ck_assert_int_eq(symlink(second, link), 0);
    ck_assert_int_eq(anb_save(model, NULL, link, &error), ANB_E_IO);
    ck_assert_ptr_nonnull(strstr(error.message, strerror(ELOOP)));
    unlink(link);
    unlink(second);
    anb_free(model);
}
END_TEST

START_TEST(what_cannot_be_read_says_why)
{
    AnbError error = {0};
    AnbModelOptions options = anb_model_defaults();
    ck_assert_ptr_null(anb_load(path, NULL, &error));
    ck_assert_int_eq(error.code, ANB_E_IO);
    ck_assert_ptr_nonnull(strstr(error.message, path));
    ck_assert_ptr_null(anb_load(folder, NULL, &error));
    ck_assert_int_eq(error.code, ANB_E_IO);
    StreamingLearner *model = model_of(1, 100);
    ck_assert_int_eq(anb_save(model, NULL, path, NULL), 0);
    char far[600];
    memset(far, 'a', sizeof far - 1);
    far[0] = '/';
    far[sizeof far - 1] = 0;
    ck_assert_ptr_null(anb_load(far, NULL, &error)); /* a long name leaves room for the reason */
    ck_assert_msg(strstr(error.message, strerror(ENAMETOOLONG)) != NULL, "%s", error.message);
    options.max_bytes = 1000;
    ck_assert_ptr_null(anb_load(path, &options, &error));
    ck_assert_int_eq(error.code, ANB_E_LIMIT);
    ck_assert_int_eq(truncate(path, 500), 0);
    ck_assert_ptr_null(anb_load(path, NULL, &error));
    ck_assert_int_eq(error.code, ANB_E_TRUNCATED);
    ck_assert_msg(strncmp(error.message, path, strlen(path)) == 0, "%s", error.message);
    options = anb_model_defaults();
    ck_assert_int_eq(anb_save(model, NULL, path, NULL), 0);
    options.max_bytes = anb_total_bytes(model) - 1; /* enough for the file: the model is refused */
    ck_assert_ptr_null(anb_load(path, &options, &error));
    ck_assert_int_eq(error.code, ANB_E_LIMIT);
    ck_assert_msg(strncmp(error.message, path, strlen(path)) == 0, "%s", error.message);
    ck_assert_int_eq(truncate(path, 0), 0);
    ck_assert_ptr_null(anb_load(path, NULL, &error));
    ck_assert_int_eq(error.code, ANB_E_TRUNCATED);
    anb_free(model);
}
END_TEST

/* ---- a disk that says no ----------------------------------------------------------------------------------------- */

/* In a child whose files may not grow beyond a limit: the same errors as on a full disk. Exits with 0 where all is
 * well. */
static void save_on_a_small_disk(const StreamingLearner *new, size_t limit)
{
    struct rlimit small = {limit, limit};
    AnbError error = {0};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    int code = anb_save(new, NULL, path, &error);
    _exit(code == ANB_E_IO && strstr(error.message, path) && !exists(temporary) ? 0 : 1);
}

static int status_of(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0)
        ck_assert_int_eq(errno, EINTR);
    return status;
}

START_TEST(a_full_disk_leaves_the_old_model)
{
    StreamingLearner *old = model_of(1, 100), *new = model_of(2, 300);
    size_t size = anb_snapshot_size(new, NULL);
    ck_assert_int_eq(anb_save(old, NULL, path, NULL), 0);
    for (size_t limit = 0; limit < size; limit += size / 5) {
        pid_t child = fork();
        if (child == 0)
            save_on_a_small_disk(new, limit);
        ck_assert_int_eq(status_of(child), 0);
        ck_assert(file_holds(old));
    }
    AnbError error = {0};
    if (exists("/dev/full")) {
        ck_assert_int_eq(anb_save(old, NULL, "/dev/full", &error), ANB_E_IO);
        ck_assert_ptr_nonnull(strstr(error.message, strerror(ENOSPC)));
    }
    anb_free(old);
    anb_free(new);
}
END_TEST

/* Killed in the middle of its second piece. */
static void save_and_die(const StreamingLearner *new)
{
    struct rlimit small = {20000, 20000}, no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGXFSZ, SIG_DFL);
    setrlimit(RLIMIT_FSIZE, &small);
    anb_save(new, NULL, path, NULL);
    _exit(0);
}

START_TEST(what_is_half_written_is_as_private_as_the_old_file)
{
    static const mode_t modes[] = {0600, 0640, 0400};
    struct stat status;
    StreamingLearner *model = anb_parse(100, "rls", NULL, NULL);
    ck_assert_uint_gt(anb_snapshot_size(model, NULL), 40000);
    ck_assert_int_eq(anb_save(model, NULL, path, NULL), 0);
    mode_t before = umask(022);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        ck_assert_int_eq(chmod(path, modes[i]), 0);
        pid_t child = fork();
        if (child == 0)
            save_and_die(model);
        int how = status_of(child);
        ck_assert(WIFSIGNALED(how) && WTERMSIG(how) == SIGXFSZ);
        ck_assert_int_eq(stat(temporary, &status), 0);
        ck_assert_int_gt(status.st_size, 0);
        ck_assert_int_eq(status.st_mode & 0777, modes[i] | 0200);
        ck_assert_int_eq(anb_save(model, NULL, path, NULL), 0);
        ck_assert_int_eq(stat(path, &status), 0);
        ck_assert_int_eq(status.st_mode & 0777, modes[i]);
        ck_assert(!exists(temporary));
    }
    umask(before);
    anb_free(model);
}
END_TEST

static void save_as_nobody(const StreamingLearner *new)
{
    AnbError error = {0};
    if (geteuid() == 0 && (setgid(65534) || setuid(65534)))
        _exit(2);
    int code = anb_save(new, NULL, path, &error);
    _exit(code == ANB_E_IO && strstr(error.message, strerror(EACCES)) ? 0 : 1);
}

START_TEST(a_read_only_folder_leaves_the_old_model)
{
    StreamingLearner *old = model_of(1, 100), *new = model_of(2, 300);
    ck_assert_int_eq(anb_save(old, NULL, path, NULL), 0);
    ck_assert_int_eq(chmod(folder, 0555), 0);
    pid_t child = fork();
    if (child == 0)
        save_as_nobody(new);
    ck_assert_int_eq(status_of(child), 0);
    ck_assert(file_holds(old));
    ck_assert_int_eq(anb_save(old, NULL, "/nowhere/at/all.anb", NULL), ANB_E_IO);
    anb_free(old);
    anb_free(new);
}
END_TEST

START_TEST(two_do_not_save_to_one_file_at_once)
{
    AnbError error = {0};
    StreamingLearner *old = model_of(1, 100), *new = model_of(2, 300);
    ck_assert_int_eq(anb_save(old, NULL, path, NULL), 0);
    int fd = open(temporary, O_WRONLY | O_CREAT, 0644);
    ck_assert_int_eq(flock(fd, LOCK_EX), 0);
    ck_assert_int_eq(anb_save(new, NULL, path, &error), ANB_E_IO);
    ck_assert(file_holds(old));
    close(fd); /* whoever held it is gone, its file stays */
    ck_assert_int_eq(anb_save(new, NULL, path, &error), 0);
    ck_assert(file_holds(new) && !exists(temporary));
    anb_free(old);
    anb_free(new);
}
END_TEST

START_TEST(a_pipe_in_the_place_of_the_temporary_file_is_refused)
{
    StreamingLearner *model = model_of(1, 100);
    ck_assert_int_eq(mkfifo(temporary, 0600), 0);
    ck_assert_int_eq(anb_save(model, NULL, path, NULL), ANB_E_IO);
    ck_assert(!exists(path));
    anb_free(model);
}
END_TEST

/* ---- interrupted and slow writing -------------------------------------------------------------------------------- */

static volatile sig_atomic_t alarms;

static void on_alarm(int signal)
{
    (void)signal;
    alarms++;
}

typedef struct Received {
    unsigned char *bytes;
    size_t at;
} Received;

/* Reads a few bytes, then pauses: the writer blocks on a full pipe and is interrupted there. */
static void *drain(void *context)
{
    Received *r = context;
    struct timespec pause = {0, 300000};
    int fd = open(path, O_RDONLY);
    for (ssize_t n = 1; n > 0; r->at += n > 0 ? (size_t)n : 0) {
        nanosleep(&pause, NULL);
        n = read(fd, r->bytes + r->at, 3000);
    }
    close(fd);
    return NULL;
}

START_TEST(signals_and_short_writes_do_no_harm)
{
    StreamingLearner *model = anb_parse(300, "rls", NULL, NULL);
    size_t size = anb_snapshot_size(model, NULL);
    Received r = {malloc(size + 3000), 0};
    struct sigaction action = {.sa_handler = on_alarm};
    struct itimerval often = {{0, 500}, {0, 500}}, never = {{0, 0}, {0, 0}};
    sigset_t alarm_only;
    pthread_t reader;
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alarm_only, NULL); /* in the reader; */
    ck_assert_int_eq(pthread_create(&reader, NULL, drain, &r), 0);
    pthread_sigmask(SIG_UNBLOCK, &alarm_only, NULL); /* the writer gets them all */
    sigaction(SIGALRM, &action, NULL);
    int fd = open(path, O_WRONLY);
    setitimer(ITIMER_REAL, &often, NULL);
    ck_assert_int_eq(anb_save(model, NULL, path, NULL), 0);
    setitimer(ITIMER_REAL, &never, NULL);
    close(fd);
    pthread_join(reader, NULL);
    ck_assert_int_gt(alarms, 3);
    ck_assert_uint_eq(r.at, size);
    StreamingLearner *again = anb_load_memory(r.bytes, r.at, NULL, NULL);
    ck_assert(again && anb_equal(again, model));
    free(r.bytes);
    anb_free(again);
    anb_free(model);
}
END_TEST

/* ---- kill -9 ----------------------------------------------------------------------------------------------------- */

static void save_for_ever(const StreamingLearner *a, const StreamingLearner *b)
{
    for (;;)
        if (anb_save(a, NULL, path, NULL) || anb_save(b, NULL, path, NULL))
            _exit(1);
}

START_TEST(killed_at_any_moment_the_file_is_the_old_or_the_new_model)
{
    size_t moments = getenv("ANB_LONG") ? 1000 : 40, left_behind = 0, saw_a = 0, saw_b = 0;
    StreamingLearner *a = model_of(1, 100), *b = model_of(2, 900);
    AnbRandom random;
    anb_random_seed(&random, 5);
    ck_assert_int_eq(anb_save(a, NULL, path, NULL), 0);
    bool seen =
        false; /* both models, and a file that a kill left behind: a child may get no core before it is killed */
    for (size_t k = 0; k < moments || (!seen && k < 60 * moments); k++) {
        struct timespec pause = {0, 500000 + (long)(anb_random_below(&random, 15000000) * (1 + k / moments))};
        pid_t child = fork();
        if (child == 0)
            save_for_ever(k % 2 ? a : b, k % 2 ? b : a);
        nanosleep(&pause, NULL);
        kill(child, SIGKILL);
        int status = status_of(child);
        ck_assert(WIFSIGNALED(status));
        bool is_a = file_holds(a), is_b = file_holds(b);
        ck_assert_msg(is_a || is_b, "moment %zu: neither the old nor the new model", k);
        saw_a += is_a;
        saw_b += is_b;
        left_behind += exists(temporary);
        seen = saw_a > 0 && saw_b > 0 && left_behind > 0;
    }
    ck_assert(saw_a > 0 && saw_b > 0);
    ck_assert_msg(left_behind > 0, "no kill came while it was writing");
    ck_assert_int_eq(anb_save(b, NULL, path, NULL), 0);
    ck_assert(file_holds(b) && !exists(temporary));
    anb_free(a);
    anb_free(b);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("faults");
    TCase *tests = case_of(suite, 600);
    tcase_add_checked_fixture(tests, enter, leave);
    tcase_add_test(tests, a_file_is_replaced_as_a_whole);
    tcase_add_test(tests, a_link_is_followed_to_a_new_file);
    tcase_add_test(tests, what_cannot_be_read_says_why);
    tcase_add_test(tests, a_full_disk_leaves_the_old_model);
    tcase_add_test(tests, what_is_half_written_is_as_private_as_the_old_file);
    tcase_add_test(tests, a_read_only_folder_leaves_the_old_model);
    tcase_add_test(tests, two_do_not_save_to_one_file_at_once);
    tcase_add_test(tests, a_pipe_in_the_place_of_the_temporary_file_is_refused);
    tcase_add_test(tests, signals_and_short_writes_do_no_harm);
    tcase_add_test(tests, killed_at_any_moment_the_file_is_the_old_or_the_new_model);
    return suite;
}

CHECK_MAIN(suite)
