/* Snapshots beside the model's state: names and notes, a writer that refuses, arguments that are missing,
 * the checksum. */
#include "blob.h"
#include <anabranch/anabranch.h>
#include <string.h>

/* ---- what is kept beside the model ------------------------------------------------------------------------------- */

START_TEST(names_and_notes_come_back)
{
    static const char *const features[] = {"temp", "wind \"x\"", "", "\xc3\xa9t\xc3\xa9", "d"};
    const AnbNote notes[] = {{"offset", "120332", 6}, {"raw", "\0\1\2", 3}, {"empty", NULL, 0}};
    const AnbSnapshotExtras extras = {features, "load", notes, 3};
    AnbError error = {0};
    AnbModelOptions options = anb_model_defaults();
    options.seed = 12345678901234567890u;
    StreamingLearner *model = anb_parse(5, "scale(linear)", &options, NULL);
    Blob blob = save(model, &extras);
    AnbSnapshot *s = anb_snapshot_open(blob.bytes, blob.size, NULL, &error);
    ck_assert_msg(s != NULL, "%s", error.message);
    for (int j = 0; j < 5; j++)
        ck_assert_str_eq(s->extras.features[j], features[j]);
    ck_assert_str_eq(s->extras.target, "load");
    ck_assert_str_eq(anb_snapshot_note(s, "offset"), "120332");
    ck_assert_mem_eq(anb_snapshot_note(s, "raw"), "\0\1\2", 3);
    ck_assert_str_eq(anb_snapshot_note(s, "empty"), "");
    ck_assert_ptr_null(anb_snapshot_note(s, "offse"));
    ck_assert_uint_eq(s->n_features, 5);
    ck_assert_uint_eq(s->seed, options.seed);
    ck_assert_uint_eq(s->n_nodes, 2);
    ck_assert_str_eq(s->nodes[1].type, "linear");
    ck_assert_str_eq(s->library, anb_version());
    ck_assert_str_eq(anb_expression(model),
                     "scale(linear)"); /* the snapshot's has every option, whatever its default */
    ck_assert_ptr_nonnull(strstr(s->expression, "linear(rate=0.01, normalized=false, bounded=true, "));
    ck_assert_ptr_nonnull(strstr(s->expression, "clip=4, far=2, tails=true"));
    anb_snapshot_close(s);
    StreamingLearner *again = anb_load_memory(blob.bytes, blob.size, NULL, NULL);
    ck_assert_uint_eq(anb_seed(again), options.seed);
    free(blob.bytes);
    anb_free(model);
    anb_free(again);
}
END_TEST

START_TEST(bad_extras_are_refused)
{
    static const char *const features[] = {"a", NULL};
    const AnbNote notes[] = {{"", "x", 1}};
    const AnbSnapshotExtras nameless = {.features = features}, keyless = {.notes = notes, .n_notes = 1};
    unsigned char out[4096];
    StreamingLearner *model = anb_parse(2, "linear", NULL, NULL);
    ck_assert_int_eq(anb_snapshot_to_memory(model, &nameless, out, sizeof out, NULL), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_snapshot_to_memory(model, &keyless, out, sizeof out, NULL), ANB_E_ARGUMENT);
    ck_assert_uint_eq(anb_snapshot_size(model, &nameless), 0);
    ck_assert_uint_eq(anb_snapshot_size(model, &keyless), 0);
    ck_assert_int_eq(anb_snapshot_to_memory(model, NULL, out, 100, NULL), ANB_E_LIMIT);
    anb_free(model);
}
END_TEST

/* ---- the writer -------------------------------------------------------------------------------------------------- */

typedef struct Taker {
    unsigned char *bytes;
    size_t at, refuse_at;
} Taker;

static int take(void *context, const void *bytes, size_t size)
{
    Taker *taker = context;
    if (taker->at + size > taker->refuse_at)
        return taker->refuse_at % 2 ? 7 : -99; /* what is above 0 is no code: an error all the same */
    memcpy(taker->bytes + taker->at, bytes, size);
    taker->at += size;
    return 0;
}

START_TEST(a_writer_may_refuse)
{
    StreamingLearner *model = anb_parse(90, "rls", NULL, NULL); /* more than one piece */
    Blob blob = save(model, NULL);
    ck_assert_uint_gt(blob.size, 16384 + 100);
    Taker taker = {malloc(blob.size), 0, SIZE_MAX};
    ck_assert_int_eq(anb_snapshot_write(model, NULL, take, &taker, NULL), 0);
    ck_assert_uint_eq(taker.at, blob.size);
    ck_assert_mem_eq(taker.bytes, blob.bytes, blob.size);
    for (size_t limit = 0; limit < blob.size; limit += 997) {
        taker.at = 0;
        taker.refuse_at = limit;
        ck_assert_int_eq(anb_snapshot_write(model, NULL, take, &taker, NULL), limit % 2 ? ANB_E_IO : -99);
    }
    free(taker.bytes);
    free(blob.bytes);
    anb_free(model);
}
END_TEST

/* What is missing is said; nothing is written, read or overrun. */
START_TEST(missing_arguments_are_refused)
{
    StreamingLearner *model = anb_parse(2, "linear", NULL, NULL);
    AnbError error = {0};
    ck_assert_int_eq(anb_save(model, NULL, NULL, &error), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_save(model, NULL, "", &error), ANB_E_IO);
    ck_assert_int_eq(anb_snapshot_write(model, NULL, NULL, NULL, &error), ANB_E_ARGUMENT);
    ck_assert(!anb_load(NULL, NULL, &error) && error.code == ANB_E_ARGUMENT);
    ck_assert(!anb_load_memory(NULL, 9, NULL, &error) && error.code == ANB_E_ARGUMENT);
    ck_assert(!anb_parse(2, NULL, NULL, &error) && error.code == ANB_E_ARGUMENT);
    ck_assert(!anb_new(2, NULL, NULL, &error) && error.code == ANB_E_ARGUMENT);
    anb_free(model);
}
END_TEST

START_TEST(the_checksum_is_crc32c)
{
    AnbChecksum sum; /* RFC 3720, B.4 */
    unsigned char bytes[32];
    for (size_t split = 0; split < 9; split++) {
        anb_checksum_init(&sum);
        anb_checksum_add(&sum, "123456789", split);
        anb_checksum_add(&sum, &"123456789"[split], 9 - split);
        ck_assert_uint_eq(sum.value, 0xe3069283);
    }
    memset(bytes, 0, sizeof bytes);
    anb_checksum_init(&sum);
    anb_checksum_add(&sum, bytes, 32);
    ck_assert_uint_eq(sum.value, 0x8a9136aa);
    for (unsigned i = 0; i < 32; i++)
        bytes[i] = (unsigned char)i;
    anb_checksum_init(&sum);
    anb_checksum_add(&sum, bytes, 32);
    ck_assert_uint_eq(sum.value, 0x46dd794e);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("snapshot_writer");
    TCase *tests = case_of(suite, 60);
    tcase_add_test(tests, names_and_notes_come_back);
    tcase_add_test(tests, bad_extras_are_refused);
    tcase_add_test(tests, a_writer_may_refuse);
    tcase_add_test(tests, missing_arguments_are_refused);
    tcase_add_test(tests, the_checksum_is_crc32c);
    return suite;
}

CHECK_MAIN(suite)
