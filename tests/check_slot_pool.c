#include "learners/trees/slot_pool.h"
#include "suite.h"

enum { CAPACITY = 50 };

START_TEST(slots_are_unique_and_come_back)
{
    AnbPool pool;
    uint32_t next[CAPACITY], held[CAPACITY], n = 0, state = 1;
    bool mine[CAPACITY] = {false};
    anb_pool_init(&pool, CAPACITY);
    for (int i = 0; i < 20000; i++) {
        state = state * 1664525 + 1013904223;
        if (state >> 31) {
            uint32_t slot = anb_pool_take(&pool, next);
            ck_assert_uint_eq(slot == ANB_POOL_NONE, n == CAPACITY);
            if (slot == ANB_POOL_NONE)
                continue;
            ck_assert_uint_lt(slot, CAPACITY);
            ck_assert(!mine[slot]);
            mine[slot] = true;
            held[n++] = slot;
        } else if (n > 0) {
            uint32_t k = (state >> 8) % n, slot = held[k];
            held[k] = held[--n];
            mine[slot] = false;
            anb_pool_give(&pool, next, slot);
            ck_assert(!anb_pool_taken(&pool, next, slot));
        }
        ck_assert_uint_eq(pool.live, n);
        ck_assert(i % 500 || anb_pool_valid(&pool, next));
    }
}
END_TEST

START_TEST(broken_pools_are_seen)
{
    AnbPool pool;
    uint32_t next[CAPACITY];
    anb_pool_init(&pool, CAPACITY);
    for (int i = 0; i < 10; i++)
        anb_pool_take(&pool, next);
    anb_pool_give(&pool, next, 3);
    anb_pool_give(&pool, next, 7);
    ck_assert(anb_pool_valid(&pool, next));
    next[3] = 7; /* a cycle */
    ck_assert(!anb_pool_valid(&pool, next));
    next[3] = 49; /* never used */
    ck_assert(!anb_pool_valid(&pool, next));
    next[3] = ANB_POOL_NONE;
    pool.live = 10;
    ck_assert(!anb_pool_valid(&pool, next));
    pool.live = 8;
    pool.used = CAPACITY + 1;
    ck_assert(!anb_pool_valid(&pool, next));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("pool");
    TCase *tests = case_of(suite, 10);
    tcase_add_test(tests, slots_are_unique_and_come_back);
    tcase_add_test(tests, broken_pools_are_seen);
    return suite;
}

CHECK_MAIN(suite)
