#include "suite.h"
#include "src/numeric/ring.h"
#include <string.h>

/* The oracle keeps everything that was ever pushed. */
static void follow(size_t capacity)
{
    AnbRing ring = {0};
    int slots[64];
    for (int item = 0; item < 200; item++) {
        size_t slot = anb_ring_push(&ring, capacity), size = anb_ring_size(&ring, capacity);
        ck_assert_uint_lt(slot, capacity);
        slots[slot] = item;
        ck_assert_uint_eq(size, (size_t)item + 1 < capacity ? (size_t)item + 1 : capacity);
        for (size_t back = 0; back < size; back++) {
            ck_assert_int_eq(slots[anb_ring_back(&ring, capacity, back)], item - (int)back);
            ck_assert_int_eq(slots[anb_ring_at(&ring, capacity, size - 1 - back)], item - (int)back);
        }
    }
}

START_TEST(positions_follow_the_items)
{
    static const size_t capacities[] = {1, 2, 3, 8, 50, 64};
    for (size_t i = 0; i < sizeof capacities / sizeof *capacities; i++)
        follow(capacities[i]);
}
END_TEST

/* Whatever a damaged snapshot says, a position stays inside. */
START_TEST(any_count_stays_inside)
{
    AnbRing ring;
    memset(&ring, 0xff, sizeof ring);
    ck_assert_uint_eq(anb_ring_size(&ring, 7), 7);
    for (size_t i = 0; i < 7; i++)
        ck_assert(anb_ring_at(&ring, 7, i) < 7 && anb_ring_back(&ring, 7, i) < 7);
    ck_assert_uint_lt(anb_ring_push(&ring, 7), 7);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("ring");
    TCase *tests = case_of(suite, 10);
    tcase_add_test(tests, positions_follow_the_items);
    tcase_add_test(tests, any_count_stays_inside);
    return suite;
}

CHECK_MAIN(suite)
