/* Snapshots: the same bits after the way through bytes, and whatever is not a snapshot refused. */
#include "blob.h"
#include "kept.h"
#include "numbers.h"
#include "suite.h"
#include "zoo.h"
#include <dirent.h>

enum { LEARNED = 3000, NEXT = 1000 };

static StreamingLearner *learned(size_t i, size_t n)
{
    char name[ZOO_TEXT];
    AnbError error = {0};
    ZooStream s = zoo_stream(7, true);
    StreamingLearner *model = zoo_model(i, NULL, &error);
    ck_assert_msg(model != NULL, "%s: %s", zoo_name(i, name), error.message);
    zoo_train(model, &s, n);
    return model;
}

/* ---- there and back ---------------------------------------------------------------------------------------------- */

START_TEST(every_type_comes_back_to_the_bit)
{
    size_t i = (size_t)_i;
    char name[ZOO_TEXT];
    AnbError error = {0};
    StreamingLearner *model = learned(i, LEARNED);
    Blob blob = save(model, NULL), second;
    StreamingLearner *again = anb_load_memory(blob.bytes, blob.size, NULL, &error);
    ck_assert_msg(again != NULL, "%s: %s", zoo_name(i, name), error.message);
    ck_assert(anb_equal(model, again));
    ck_assert_str_eq(anb_expression(model), anb_expression(again));
    ck_assert_mem_eq(anb_counters(model), anb_counters(again), sizeof(AnbCounters));
    second = save(again, NULL);
    ck_assert_uint_eq(blob.size, second.size);
    ck_assert_mem_eq(blob.bytes, second.bytes, blob.size);
    ZooStream s = zoo_stream(8, true);
    for (size_t t = 0; t < NEXT; t++) {
        zoo_next(&s);
        ck_assert_msg(same_bits(anb_predict(model, s.x), anb_predict(again, s.x)), "%s: predict %zu", zoo_name(i, name),
                      t);
        double a = anb_train_one(model, s.x, s.y, 1), b = anb_train_one(again, s.x, s.y, 1);
        ck_assert_msg(same_bits(a, b), "%s: sample %zu", zoo_name(i, name), t);
    }
    ck_assert_msg(anb_equal(model, again), "%s: states differ", zoo_name(i, name));
    free(blob.bytes);
    free(second.bytes);
    anb_free(model);
    anb_free(again);
}
END_TEST

START_TEST(a_new_model_comes_back_as_well)
{
    StreamingLearner *model = zoo_model((size_t)_i, NULL, NULL);
    Blob blob = save(model, NULL);
    StreamingLearner *again = anb_load_memory(blob.bytes, blob.size, NULL, NULL);
    ck_assert(again && anb_equal(model, again));
    free(blob.bytes);
    anb_free(model);
    anb_free(again);
}
END_TEST

/* ---- snapshots of earlier versions ------------------------------------------------------------------------------- */

/* Whether the model of a kept snapshot computes in floats: knn computes in floats since 0.10. */
static bool of_floats(const char *path)
{
    return strstr(path, "_single") || strstr(path, "/knn.anb");
}

/* To nine digits, learners of floats to six: a later version may sum in another order. */
static void check_answers(StreamingLearner *model, const char *text, const char *path)
{
    const double near = of_floats(path) ? 1e-6 : 1e-9;
    double answers[KEPT_ANSWERS], wanted;
    kept_answers(model, answers);
    for (size_t t = 0; t < KEPT_ANSWERS; t++) {
        int n = anb_number_parse(text, strlen(text), &wanted);
        ck_assert_msg(n > 0 && fabs(answers[t] - wanted) <= near * (1 + fabs(wanted)),
                      "%s: answer %zu is %.12g, not %.12g", path, t, answers[t], wanted);
        text += n + 1;
    }
}

static size_t check_kept(const char *folder)
{
    char path[1600];
    size_t n = 0;
    DIR *files = opendir(folder);
    ck_assert_ptr_nonnull(files);
    for (struct dirent *entry; (entry = readdir(files));) {
        AnbError error = {0};
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        AnbSnapshot *snapshot = anb_snapshot_read(path, NULL, &error);
        ck_assert_msg(snapshot != NULL, "%s: %s", path, error.message);
        StreamingLearner *model = anb_snapshot_model(snapshot, NULL, &error);
        ck_assert_msg(model != NULL, "%s: %s", path, error.message);
        check_answers(model, anb_snapshot_note(snapshot, "answers"), path);
        anb_free(model);
        anb_snapshot_close(snapshot);
        n++;
    }
    closedir(files);
    return n;
}

/* For ever: whatever changes, what was saved by a release loads and says the same. */
START_TEST(snapshots_of_every_release_load)
{
    char path[1024];
    const char *root = getenv("ANB_SOURCE_ROOT");
    size_t n = 0;
    snprintf(path, sizeof path, "%s/tests/snapshots", root ? root : ".");
    DIR *releases = opendir(path);
    for (struct dirent *entry; releases && (entry = readdir(releases));) {
        char folder[1300];
        snprintf(folder, sizeof folder, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            n += check_kept(folder);
    }
    if (releases)
        closedir(releases);
    ck_assert_uint_gt(n, 0);
}
END_TEST

/* ---- damage ------------------------------------------------------------------------------------------------------ */

START_TEST(no_truncated_snapshot_loads)
{
    StreamingLearner *model = learned((size_t)_i, 300);
    Blob blob = save(model, NULL);
    for (size_t n = 0; n < blob.size; n++)
        ck_assert_int_eq(code_of(blob.bytes, n), ANB_E_TRUNCATED);
    unsigned char *longer = malloc(blob.size + 1);
    memcpy(longer, blob.bytes, blob.size);
    longer[blob.size] = 0;
    ck_assert_int_eq(code_of(longer, blob.size + 1), ANB_E_TRAILING);
    free(longer);
    free(blob.bytes);
    anb_free(model);
}
END_TEST

/* Every bit of a small snapshot; of a large one so many, evenly spread, that some 200 MB are summed. */
START_TEST(no_flipped_bit_is_overlooked)
{
    StreamingLearner *model = learned((size_t)_i, 300);
    Blob blob = save(model, NULL);
    size_t bits = blob.size * 8, budget = (size_t)200000000 / blob.size + 512, step = bits / budget + 1;
    for (size_t bit = 0; bit < bits; bit += bit < 2048 ? 1 : step) {
        blob.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        ck_assert_int_ne(code_of(blob.bytes, blob.size), 0);
        blob.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    ck_assert_int_eq(code_of(blob.bytes, blob.size), 0);
    free(blob.bytes);
    anb_free(model);
}
END_TEST

/* Any call may follow a load that passed: the sanitizers watch. */
static void use(StreamingLearner *model)
{
    ZooStream s = zoo_stream(9, true);
    AnbMixture mixture;
    for (int t = 0; t < 40; t++) {
        zoo_next(&s);
        anb_predict(model, s.x);
        anb_train_one(model, s.x, s.y, 1);
    }
    if (anb_mixture(model, &mixture) == 0)
        ck_assert_uint_ge(mixture.k, 2);
    Blob blob = save(model, NULL);
    free(blob.bytes);
    anb_reset(model);
}

START_TEST(mutated_states_with_a_right_checksum_do_no_harm)
{
    static const unsigned char loved[] = {0, 1, 0x7f, 0x80, 0xff, 0xf0};
    StreamingLearner *model = learned((size_t)_i, 600);
    Blob blob = save(model, NULL), copy = {malloc(blob.size), blob.size};
    AnbRandom random;
    anb_random_seed(&random, 11);
    size_t tries = 20000000 / (blob.size + 20000);
    for (size_t k = 0; k < (tries < 600 ? tries : 600) + 20; k++) {
        memcpy(copy.bytes, blob.bytes, blob.size);
        size_t edits = 1 + anb_random_below(&random, 4);
        for (size_t e = 0; e < edits; e++) {
            size_t at = 24 + anb_random_below(&random, (uint32_t)(blob.size - 28));
            copy.bytes[at] = anb_random_below(&random, 2) ? loved[anb_random_below(&random, sizeof loved)]
                                                          : (unsigned char)anb_random_bits(&random);
        }
        repair(&copy);
        StreamingLearner *loaded = anb_load_memory(copy.bytes, copy.size, NULL, NULL);
        if (loaded && anb_n_features(loaded) == ZOO_FEATURES)
            use(loaded);
        anb_free(loaded);
    }
    free(copy.bytes);
    free(blob.bytes);
    anb_free(model);
}
END_TEST

START_TEST(each_damage_has_its_code)
{
    StreamingLearner *model = anb_parse(2, "rls", NULL, NULL);
    Blob blob = save(model, NULL);
    ck_assert_int_eq(code_of("", 0), ANB_E_TRUNCATED);
    ck_assert_int_eq(code_of("not a snapshot at all, but long enough", 38), ANB_E_FORMAT);
    blob.bytes[8] = 2;
    ck_assert_int_eq(code_of(blob.bytes, blob.size), ANB_E_VERSION);
    blob.bytes[8] = 1;
    blob.bytes[12] = 1, blob.bytes[15] = 4; /* the mark, turned round */
    ck_assert_int_eq(code_of(blob.bytes, blob.size), ANB_E_FORMAT);
    blob.bytes[12] = 4, blob.bytes[15] = 1;
    blob.bytes[blob.size - 20] ^= 1;
    ck_assert_int_eq(code_of(blob.bytes, blob.size), ANB_E_CHECKSUM);
    blob.bytes[blob.size - 20] ^= 1;
    memset(blob.bytes + blob.size - 12, 0xff, 8); /* a NaN in P */
    repair(&blob);
    ck_assert_int_eq(code_of(blob.bytes, blob.size), ANB_E_STATE);
    free(blob.bytes);
    anb_free(model);
}
END_TEST

static size_t find(const Blob *blob, const char *text, size_t from)
{
    size_t n = strlen(text);
    for (size_t at = from; at + n <= blob->size; at++)
        if (memcmp(blob->bytes + at, text, n) == 0)
            return at;
    ck_abort_msg("no '%s' in the snapshot", text);
    return 0;
}

START_TEST(unknown_types_versions_and_sizes_are_refused)
{
    StreamingLearner *model = anb_parse(2, "linear", NULL, NULL);
    Blob blob = save(model, NULL);
    size_t expression = find(&blob, "linear(", 0), node = find(&blob, "linear", expression + 7);
    memcpy(blob.bytes + expression, "linexr", 6);
    repair(&blob);
    ck_assert_int_eq(code_of(blob.bytes, blob.size), ANB_E_UNKNOWN);
    memcpy(blob.bytes + expression, "linear", 6);
    memcpy(blob.bytes + node, "linexr", 6);
    repair(&blob);
    ck_assert_int_eq(code_of(blob.bytes, blob.size), ANB_E_FORMAT);
    memcpy(blob.bytes + node, "linear", 6);
    blob.bytes[node + 7] = 9; /* behind the name and its 0: the version of the layout */
    repair(&blob);
    ck_assert_int_eq(code_of(blob.bytes, blob.size), ANB_E_VERSION);
    blob.bytes[node + 7] = 1;
    blob.bytes[node + 11] -= 1; /* the fields' size */
    repair(&blob);
    ck_assert_int_eq(code_of(blob.bytes, blob.size), ANB_E_FORMAT);
    free(blob.bytes);
    anb_free(model);
}
END_TEST

/* The reason of a refusal names the version that saved it where that is a newer one. */
START_TEST(a_newer_version_is_named)
{
    const char *const versions[][2] = {{"1000.1.2", "saved by version 1000.1.2, which is newer than this one, "},
                                       {"0.1.2000", "an unknown learner 'linexr'"}};
    for (size_t i = 0; i < 2; i++) {
        AnbError error = {0};
        StreamingLearner *model = anb_parse(2, "linear", NULL, NULL);
        Blob blob = save(model, NULL);
        size_t library = find(&blob, anb_version(), 0), length = strlen(anb_version());
        blob.bytes = realloc(blob.bytes, blob.size + 8);
        memmove(blob.bytes + library + 8, blob.bytes + library + length, blob.size - library - length);
        memcpy(blob.bytes + library, versions[i][0], 8);
        blob.size += 8 - length;
        blob.bytes[library - 4] = 8;
        blob.bytes[16] = (unsigned char)blob.size, blob.bytes[17] = (unsigned char)(blob.size >> 8);
        memcpy(blob.bytes + find(&blob, "linear(", 0), "linexr", 6);
        repair(&blob);
        ck_assert_ptr_null(anb_load_memory(blob.bytes, blob.size, NULL, &error));
        ck_assert_int_eq(error.code, ANB_E_UNKNOWN);
        ck_assert_int_eq(strncmp(error.message, versions[i][1], strlen(versions[i][1])), 0);
        ck_assert_ptr_nonnull(strstr(error.message, "an unknown learner 'linexr'"));
        free(blob.bytes);
        anb_free(model);
    }
}
END_TEST

/* ---- limits ------------------------------------------------------------------------------------------------------ */

START_TEST(a_small_file_cannot_ask_for_much)
{
    AnbModelOptions options = anb_model_defaults();
    AnbError error = {0};
    StreamingLearner *model = anb_parse(1, "linear", NULL, NULL);
    Blob blob = save(model, NULL);
    size_t expression = find(&blob, "linear(", 0);
    unsigned char *n_features = blob.bytes + expression + strlen((char *)blob.bytes + expression) + 1;
    memset(n_features, 0xff, 5);
    repair(&blob);
    ck_assert_int_eq(code_of(blob.bytes, blob.size), ANB_E_LIMIT);
    memset(n_features, 0, 5);
    n_features[2] = 8; /* 524,288 features: 4 MiB of weights in a state of 40 bytes */
    repair(&blob);
    ck_assert_int_eq(code_of(blob.bytes, blob.size), ANB_E_STATE);
    options.max_bytes = 1 << 20;
    ck_assert_ptr_null(anb_load_memory(blob.bytes, blob.size, &options, &error));
    ck_assert_int_eq(error.code, ANB_E_LIMIT);
    options.max_bytes = blob.size - 1;
    ck_assert_ptr_null(anb_load_memory(blob.bytes, blob.size, &options, &error));
    ck_assert_int_eq(error.code, ANB_E_LIMIT);
    free(blob.bytes);
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("snapshot");
    TCase *tests = case_of(suite, 120);
    int animals = (int)zoo_count();
    tcase_add_loop_test(tests, every_type_comes_back_to_the_bit, 0, animals);
    tcase_add_loop_test(tests, a_new_model_comes_back_as_well, 0, animals);
    tcase_add_loop_test(tests, no_truncated_snapshot_loads, 0, animals);
    tcase_add_loop_test(tests, no_flipped_bit_is_overlooked, 0, animals);
    tcase_add_loop_test(tests, mutated_states_with_a_right_checksum_do_no_harm, 0, animals);
    tcase_add_test(tests, snapshots_of_every_release_load);
    tcase_add_test(tests, each_damage_has_its_code);
    tcase_add_test(tests, unknown_types_versions_and_sizes_are_refused);
    tcase_add_test(tests, a_newer_version_is_named);
    tcase_add_test(tests, a_small_file_cannot_ask_for_much);
    return suite;
}

CHECK_MAIN(suite)
