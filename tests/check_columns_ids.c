/* The dictionaries of columns: which category gives way to a new one, and what hostile ids can do. */
#include "columns_row.h"
#include "learners/columns/dictionary.h"
#include "src/host/model.h"
#include <anabranch/schema.h>
#include <math.h>

/* Every count fades with every sample, as in the description; ties and free places go by index. */
START_TEST(the_rarest_lately_gives_way)
{
    enum { SETS = 4, SAMPLES = 20000 };
    AnbSet *sets = calloc(SETS, sizeof *sets);
    AnbDictionary head = {0};
    uint8_t used[SETS] = {0};
    uint64_t oracle_key[SETS][ANB_SET] = {{0}}, bits = 5;
    long double count[SETS][ANB_SET] = {{0}};
    for (int n = 0; n < SAMPLES; n++) {
        double cell = floor(90 * unit_of(&bits) * unit_of(&bits)) + (n > SAMPLES / 2 ? 50 : 0);
        uint64_t key = anb_dictionary_key(cell);
        size_t s = anb_dictionary_set(key, 77, SETS), i = anb_set_find(&sets[s], key), want = 0;
        while (want < ANB_SET && oracle_key[s][want] != key)
            want++;
        ck_assert_uint_eq(i, want);
        if (want == ANB_SET) {
            want = 0;
            for (size_t j = 1; j < ANB_SET; j++)
                want = count[s][j] < count[s][want] ? j : want;
            oracle_key[s][want] = key;
            count[s][want] = 0;
            i = anb_set_insert(&sets[s], &used[s], key);
            ck_assert_uint_eq(i, want);
        }
        anb_dictionary_count(&head, anb_dictionary_growth(SETS), &sets[s].entry[i], 1);
        anb_dictionary_bound(&head, sets, SETS);
        for (size_t t = 0; t < SETS; t++)
            for (size_t j = 0; j < ANB_SET; j++)
                count[t][j] /= 1 + 1.0L / (8 * ANB_SET * SETS);
        count[s][want] += 1;
    }
    ck_assert(anb_dictionary_valid(&head, sets, SETS, 77));
    free(sets);
}
END_TEST

START_TEST(hostile_ids_change_nothing_but_themselves)
{
    long many = getenv("ANB_LONG") ? 10000000 : 200000;
    StreamingLearner *model = spied("columns(spy, kinds=\"c\", slots=64)", 1);
    size_t bytes = anb_total_bytes(model);
    double known = anb_category("known", 5), mean = 0;
    for (long i = 0; i < many; i++) {
        double id = anb_category(&i, sizeof i);
        anb_train_one(model, i % 50 == 0 ? &known : &id, i % 50 == 0 ? 5 : -1, 1);
    }
    anb_predict(model, &known);
    mean = shown[0];
    ck_assert(mean > 4.9 && shown[1] == 5 && shown[2] > log(many / 60.));
    ck_assert_uint_eq(anb_total_bytes(model), bytes);
    anb_free(model);
}
END_TEST

/* Ids that all fall into one set push each other out, and nobody else. */
START_TEST(colliding_ids_stay_in_their_set)
{
    StreamingLearner *model = spied("columns(spy, kinds=\"c\", slots=1024)", 1);
    uint64_t seed = model->plan->nodes[0].seed;
    double other = 7;
    size_t apart = anb_dictionary_set(anb_dictionary_key(other), seed, 128), found = 0;
    anb_train_one(model, &other, 3, 1);
    for (double id = 8; found < 5000; id++) {
        if (anb_dictionary_set(anb_dictionary_key(id), seed, 128) != (apart + 1) % 128)
            continue;
        anb_train_one(model, &id, -3, 1);
        found++;
    }
    anb_predict(model, &other);
    ck_assert(shown[1] >= shown[0] && shown[2] == log(2));
    anb_free(model);
}
END_TEST

START_TEST(a_megabyte_and_nothing_are_categories)
{
    enum { MEGABYTE = 1 << 20 };
    char *text = malloc(MEGABYTE);
    memset(text, 'a', MEGABYTE);
    double large = anb_category(text, MEGABYTE), less = anb_category(text, MEGABYTE - 1), nothing = anb_category("", 0);
    ck_assert(large != less && large != nothing && nothing == anb_category(NULL, 0));
    StreamingLearner *model = spied("columns(spy, kinds=\"c\")", 1);
    anb_train_one(model, &large, 1, 1);
    anb_train_one(model, &nothing, 2, 1);
    anb_predict(model, (double[]){NAN});
    ck_assert(shown[0] > 1.5 && shown[1] == shown[0] && shown[2] == log(2));
    anb_predict(model, &less);
    ck_assert(shown[1] == 1.5 && shown[2] == 0);
    anb_free(model);
    free(text);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("columns_ids");
    TCase *tests = case_of(suite, 600);
    tcase_add_test(tests, the_rarest_lately_gives_way);
    tcase_add_test(tests, hostile_ids_change_nothing_but_themselves);
    tcase_add_test(tests, colliding_ids_stay_in_their_set);
    tcase_add_test(tests, a_megabyte_and_nothing_are_categories);
    return suite;
}

CHECK_MAIN(suite)
