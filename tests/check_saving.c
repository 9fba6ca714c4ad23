/* A model that is saved beside the program: the file is the model of that moment, whatever it learns meanwhile. */
#include "made.h"
#include "numbers.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { D = 5 };

static char folder[] = "/tmp/anabranch-saving-XXXXXX", path[64];

static void enter(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/model.anb", folder);
}

static void leave(void)
{
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
    memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
}

static void train(StreamingLearner *model, uint64_t seed, int n)
{
    for (int i = 0; i < n; i++) {
        double x[D], y = 0;
        for (int j = 0; j < D; j++)
            y += x[j] = uniform_of(&seed);
        anb_train_one(model, x, y * x[0], 1);
    }
}

static StreamingLearner *trained(const char *expression)
{
    StreamingLearner *model = made(D, expression);
    train(model, 3, 500);
    return model;
}

static unsigned char *read_file(size_t *size)
{
    static unsigned char bytes[8 << 20];
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    *size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    return bytes;
}

START_TEST(the_file_is_the_model_of_that_moment)
{
    char names[D][8] = {"a", "b", "c", "d", "e"}, target[] = "price", key[] = "offset", value[] = "120332";
    const char *features[D];
    for (int j = 0; j < D; j++)
        features[j] = names[j];
    AnbNote note = {key, value, strlen(value)};
    AnbSnapshotExtras extras = {features, target, &note, 1};
    StreamingLearner *model = trained("auto(budget=5)");
    size_t size = anb_snapshot_size(model, &extras), found;
    unsigned char *before = malloc(size);
    ck_assert_int_eq(anb_snapshot_to_memory(model, &extras, before, size, NULL), 0);
    AnbSaving *saving = anb_save_aside(model, &extras, path, NULL);
    ck_assert_ptr_nonnull(saving);
    train(model, 4, 300); /* what was handed in may change and go as well */
    memset(names, 'x', sizeof names);
    memset(value, '9', sizeof value);
    target[0] = key[0] = '?';
    anb_free(model);
    while (!anb_saving_done(saving))
        sched_yield();
    ck_assert_int_eq(anb_saving_end(saving, NULL), 0);
    const unsigned char *after = read_file(&found);
    ck_assert_uint_eq(found, size);
    ck_assert_mem_eq(after, before, size);
    free(before);
}
END_TEST

START_TEST(what_fails_is_told_at_the_end)
{
    StreamingLearner *model = trained("scale(rls)");
    AnbError error = {0};
    AnbSaving *saving = anb_save_aside(model, NULL, "/no/such/folder/model.anb", &error);
    ck_assert_ptr_nonnull(saving);
    ck_assert_int_eq(anb_saving_end(saving, &error), ANB_E_IO);
    ck_assert_ptr_nonnull(strstr(error.message, "/no/such/folder"));
    ck_assert_int_eq(anb_saving_end(NULL, &error), 0);
    ck_assert(!anb_save_aside(model, NULL, NULL, &error) && error.code == ANB_E_ARGUMENT);
    AnbNote note = {NULL, "1", 1};
    ck_assert(!anb_save_aside(model, &(AnbSnapshotExtras){.notes = &note, .n_notes = 1}, path, &error));
    ck_assert_int_eq(error.code, ANB_E_ARGUMENT);
    ck_assert_int_eq(access(path, F_OK), -1);
    anb_free(model);
}
END_TEST

START_TEST(several_at_a_time)
{
    StreamingLearner *model = trained("scale(rls)");
    char other[80];
    snprintf(other, sizeof other, "%s.2", path);
    AnbSaving *first = anb_save_aside(model, NULL, path, NULL);
    train(model, 5, 10);
    AnbSaving *second = anb_save_aside(model, NULL, other, NULL);
    ck_assert_int_eq(anb_saving_end(second, NULL), 0);
    ck_assert_int_eq(anb_saving_end(first, NULL), 0);
    StreamingLearner *a = anb_load(path, NULL, NULL), *b = anb_load(other, NULL, NULL);
    ck_assert(!anb_equal(a, model) && anb_equal(b, model));
    anb_free(a);
    anb_free(b);
    anb_free(model);
    unlink(other);
}
END_TEST

/* The pipe keeps the thread from ending before the child has asked. */
START_TEST(a_child_does_not_know_what_became_of_it)
{
    AnbError error = {0};
    StreamingLearner *model = trained("knn(window=2000)");
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    AnbSaving *saving = anb_save_aside(model, NULL, path, NULL);
    pid_t child = fork();
    if (child == 0) {
        bool told = anb_saving_done(saving) && anb_saving_end(saving, &error) == ANB_E_UNSUPPORTED;
        _exit(told && strstr(error.message, path) ? 0 : 1);
    }
    int status = -1;
    ck_assert(waitpid(child, &status, 0) == child && status == 0);
    size_t size;
    read_file(&size);
    ck_assert_int_eq(anb_saving_end(saving, &error), 0);
    ck_assert_uint_eq(size, anb_snapshot_size(model, NULL));
    anb_free(model);
}
END_TEST

/* Saves, has a child when the file is there, and is killed. The child says that it is there, and ends with the other
 * end of the pair. */
static void end_while_saving(const StreamingLearner *model, const int *ends, const char *temporary)
{
    char byte = 0;
    close(ends[0]);
    anb_save_aside(model, NULL, path, NULL);
    while (access(temporary, F_OK) && access(path, F_OK))
        sched_yield();
    if (fork() == 0)
        _exit(write(ends[1], &byte, 1) != 1 || read(ends[1], &byte, 1) != 0);
    kill(getpid(), SIGKILL);
}

START_TEST(a_child_does_not_keep_the_file_locked)
{
    StreamingLearner *model = trained("knn(window=20000)");
    char temporary[80], byte;
    snprintf(temporary, sizeof temporary, "%s.tmp", path);
    for (bool killed = false; !killed; unlink(path)) {
        int ends[2];
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        pid_t process = fork();
        if (process == 0)
            end_while_saving(model, ends, temporary);
        close(ends[1]);
        ck_assert_int_eq(waitpid(process, NULL, 0), process);
        ck_assert_int_eq(read(ends[0], &byte, 1), 1);
        killed = access(temporary, F_OK) == 0; /* in the middle of saving, not behind it */
        ck_assert_int_eq(anb_save(model, NULL, path, NULL), 0);
        close(ends[0]);
    }
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("saving");
    TCase *tests = case_of(suite, 60);
    tcase_add_checked_fixture(tests, enter, leave);
    tcase_add_test(tests, the_file_is_the_model_of_that_moment);
    tcase_add_test(tests, what_fails_is_told_at_the_end);
    tcase_add_test(tests, several_at_a_time);
    tcase_add_test(tests, a_child_does_not_know_what_became_of_it);
    tcase_add_test(tests, a_child_does_not_keep_the_file_locked);
    return suite;
}

CHECK_MAIN(suite)
