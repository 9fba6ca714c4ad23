/* A ring whose codes are remade in slices: codes, arrivals and copies, at every point of the remaking. */
#include "carrier.h"
#include "numbers.h"
#include "learners/boost/window.h"
#include "suite.h"
#include <math.h>

enum { FEATURES = 3, ROWS = 640 };

static const AnbWindowRoom room = {ROWS, FEATURES};
static uint64_t seed;

static size_t room_bytes(void)
{
    AnbWindowView v;
    return anb_window_view(room, NULL, &v);
}

static AnbWindowView new_window(void)
{
    AnbWindowView v;
    anb_window_view(room, calloc(1, room_bytes()), &v);
    anb_window_init(&v);
    return v;
}

static void next_row(float *row, size_t t)
{
    row[0] = (float)uniform_of(&seed) + (float)t / 100;
    row[1] = (float)(t % 4);
    row[2] = uniform_of(&seed) > .5 ? (float)ANB_NAN : (float)(1e30 * uniform_of(&seed));
}

static uint8_t code_at(const AnbWindowView *v, size_t slot, size_t column)
{
    return anb_window_block(v, slot / 64)[column * 64 + slot % 64];
}

START_TEST(codes_are_those_of_the_edges)
{
    AnbWindowView v = new_window();
    float row[FEATURES];
    size_t remade = 0;
    for (size_t t = 0; t < 3000; t++) {
        next_row(row, t);
        size_t slot = anb_window_push(&v, row);
        ck_assert_uint_eq(slot, t % ROWS);
        ck_assert_uint_eq(anb_window_index(&v, slot), t);
        ck_assert_uint_eq(anb_window_index(&v, 0), t / ROWS * ROWS);
        ck_assert(anb_window_valid(&v));
        if (anb_window_due(&v)) {
            remade++;
            ck_assert_uint_le(anb_window_slice(&v), 8000);
            continue;
        }
        if (t % 16)
            continue;
        for (slot = 0; slot < anb_window_size(&v); slot++)
            for (size_t j = 0; j < FEATURES; j++) {
                float x = v.value[j * ROWS + slot];
                unsigned below = 0;
                for (size_t e = 0; e < v.edges[j].count; e++)
                    below += v.edges[j].edge[e] < x;
                ck_assert_uint_eq(code_at(&v, slot, j), x == x ? below : ANB_FINE_MISSING);
                size_t wrong = 0;
                for (size_t e = 0; e < v.edges[j].count; e++)
                    wrong += (x > anb_window_threshold(&v, j, e, 0)) != (x == x && below > e);
                ck_assert_uint_eq(wrong, 0);
            }
    }
    ck_assert_uint_gt(remade, 100);
    ck_assert(v.edges[0].fine && !v.edges[1].fine);
    ck_assert_uint_gt(v.edges[0].count, 240);
    ck_assert_uint_eq(v.edges[1].count, 3 * ANB_FINE);
    ck_assert_uint_eq(anb_window_edges(&v, 0), ANB_EDGES);
    ck_assert_uint_eq(anb_window_edges(&v, 1), 3);
    free(v.head);
}
END_TEST

START_TEST(arrivals_are_even_steps)
{
    AnbWindowView v = new_window();
    float row[FEATURES];
    for (size_t t = 0; t < 1500; t++) {
        next_row(row, t);
        anb_window_push(&v, row);
        if (t % 37 == 5)
            anb_window_mark(&v);
        if (t == 400)
            anb_window_forget(&v, 50);
        if (t < 50 || t % 5)
            continue;
        const AnbWindow *h = v.head;
        for (size_t b = 0; b < anb_window_blocks(&v); b++)
            anb_window_arrivals(&v, b);
        for (size_t slot = 0; slot < anb_window_size(&v); slot++) {
            uint64_t index = anb_window_index(&v, slot);
            uint8_t code = code_at(&v, slot, FEATURES);
            if (index < h->first) {
                ck_assert_uint_eq(code, ANB_FINE_MISSING);
                continue;
            }
            uint64_t step = (index - h->first) / h->gap;
            ck_assert_uint_eq(code, ANB_FINE * (step < h->arrivals ? step : h->arrivals));
            size_t wrong = 0;
            for (unsigned c = 0; c < ANB_FINE * h->arrivals; c++)
                wrong += ((float)index > anb_window_threshold(&v, FEATURES, c, 0)) != (code > c);
            ck_assert_uint_eq(wrong, 0);
        }
    }
    ck_assert_uint_eq(anb_window_live(&v), ROWS);
    free(v.head);
}
END_TEST

START_TEST(a_copy_goes_on_remaking)
{
    AnbWindowView v = new_window(), copy = new_window();
    float row[FEATURES];
    for (size_t t = 0; t < 1500; t++) {
        next_row(row, t);
        anb_window_push(&v, row);
        if (t % 3 == 0 && anb_window_due(&v))
            anb_window_slice(&v);
        if (t % 11)
            continue;
        Carrier c = carrier(v.head, copy.head);
        anb_window_visit(&v, &c.visitor);
        ck_assert(anb_window_valid(&copy));
        AnbWindowView whole;
        anb_window_view(room, malloc(room_bytes()), &whole);
        memcpy(whole.head, v.head, room_bytes());
        for (int i = 0; i < 100 && anb_window_due(&whole); i++) {
            anb_window_slice(&whole);
            anb_window_slice(&copy);
        }
        ck_assert_mem_eq(whole.codes, copy.codes, anb_window_size(&v) / 64 * 64 * (FEATURES + 1));
        for (size_t j = 0; j < FEATURES; j++)
            ck_assert_mem_eq(&whole.edges[j], &copy.edges[j], sizeof(AnbFineEdges));
        free(whole.head);
    }
    free(v.head);
    free(copy.head);
}
END_TEST

static Suite *window_suite(void)
{
    Suite *suite = suite_create("window");
    TCase *tests = case_of(suite, 20);
    tcase_add_test(tests, codes_are_those_of_the_edges);
    tcase_add_test(tests, arrivals_are_even_steps);
    tcase_add_test(tests, a_copy_goes_on_remaking);
    return suite;
}

CHECK_MAIN(window_suite)
