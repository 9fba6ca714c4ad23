/* Packed histograms, cuts and slices of sorting against plain loops; every instruction set gives the same bits. */
#include "numbers.h"
#include "learners/boost/cuts.h"
#include "learners/boost/packed.h"
#include "src/numeric/sorter.h"
#include "suite.h"
#include <math.h>

enum { ROWS = 700, COLUMNS = 5, STRIDE = 8 };

static uint64_t seed = 5;
static double target[ROWS], cells[ROWS];
static uint8_t codes[ROWS * STRIDE];
static uint16_t order[ROWS];
static size_t edges[COLUMNS] = {62, 7, 1, 0, 30};

static uint32_t below(uint32_t n)
{
    return (uint32_t)((uniform_of(&seed) + 1) / 2 * n);
}

/* Column 4 has missing cells, column 3 is constant. */
static double make_sample(double scale)
{
    double largest = 0;
    for (size_t i = 0; i < ROWS; i++) {
        order[i] = (uint16_t)i;
        for (size_t k = 0; k < COLUMNS; k++)
            codes[i * STRIDE + k] = (uint8_t)(ANB_FINE * below((uint32_t)edges[k] + 1) + below(ANB_FINE));
        if (below(5) == 0)
            codes[i * STRIDE + 4] = ANB_FINE_MISSING;
        double steps = (codes[i * STRIDE] > 80) - 2 * (codes[i * STRIDE + 4] > 200);
        target[i] = cells[i] = scale * (uniform_of(&seed) + steps);
        largest = fmax(largest, fabs(target[i]));
    }
    return anb_packed_unit(largest, ROWS);
}

static const AnbPacked *words(void)
{
    return (const AnbPacked *)cells;
}

START_TEST(words_hold_sums_and_counts)
{
    static AnbPacked h[COLUMNS * ANB_CODES], other[COLUMNS * ANB_CODES];
    double unit = make_sample(1e7);
    ck_assert(frexp(unit, &(int){0}) == .5);
    anb_packed_make(cells, ROWS, unit);
    memset(h, 0, sizeof h);
    memset(other, 0, sizeof other);
    anb_packed_fill(h, COLUMNS, words(), order, ROWS, codes, STRIDE);
    for (size_t k = 0; k < COLUMNS; k++)
        for (int c = 0; c < ANB_CODES; c++) {
            double sum = 0, count = 0;
            for (size_t i = 0; i < ROWS; i++)
                if (codes[i * STRIDE + k] / ANB_FINE == c) {
                    sum += target[i];
                    count++;
                }
            AnbPacked word = h[k * ANB_CODES + (size_t)c];
            ck_assert_uint_eq(anb_packed_count(word), (uint32_t)count);
            ck_assert_double_le(fabs(anb_packed_sum(word) * unit - sum), (count + 1) * unit);
        }
    anb_packed_fill(other, COLUMNS, words(), order, 300, codes, STRIDE);
    anb_packed_subtract(h, other, COLUMNS * ANB_CODES);
    memset(other, 0, sizeof other);
    anb_packed_fill(other, COLUMNS, words(), order + 300, ROWS - 300, codes, STRIDE);
    ck_assert_mem_eq(h, other, sizeof h);
}
END_TEST

/* The gain of a cut, from the rows. */
static double gain_of(size_t k, unsigned code, bool missing_left, double unit, double ridge, double min, double *left)
{
    double s[2] = {0}, n[2] = {0};
    for (size_t i = 0; i < ROWS; i++) {
        uint8_t c = codes[i * STRIDE + k];
        bool right = c == ANB_FINE_MISSING ? !missing_left : c / ANB_FINE > code;
        s[right] += anb_packed_sum(words()[i]) * unit;
        n[right]++;
    }
    *left = n[0];
    if (n[0] < min || n[1] < min)
        return -1;
    double sum = s[0] + s[1];
    return s[0] * s[0] / (n[0] + ridge) + s[1] * s[1] / (n[1] + ridge) - sum * sum / (n[0] + n[1] + ridge);
}

START_TEST(the_best_cut_is_the_best_of_all)
{
    static AnbPacked h[COLUMNS * ANB_CODES];
    for (int round = 0; round < 40; round++) {
        double unit = make_sample(1), left, min = 1 + below(30);
        memset(h, 0, sizeof h);
        anb_packed_make(cells, ROWS, unit);
        anb_packed_fill(h, COLUMNS, words(), order, ROWS, codes, STRIDE);
        AnbPackedRule rule = {.ridge = 2, .min_rows = min};
        for (int c = 0; c < ANB_CODES; c++)
            rule.total += h[c];
        for (uint32_t k = 0; k < COLUMNS; k++) {
            AnbPackedCut best = {0};
            anb_packed_cut(h + k * ANB_CODES, edges[k], &rule, k, &best);
            double most = 0;
            for (unsigned code = 0; code <= edges[k]; code++)
                for (int way = 0; way < 2; way++)
                    most = fmax(most, gain_of(k, code, way, unit, 2, min, &left));
            ck_assert_double_le(fabs(best.gain * unit * unit - most), 1e-9 * (1 + most));
            if (most > 0) {
                double there = gain_of(k, best.code, best.missing_left, unit, 2, min, &left);
                ck_assert_double_le(fabs(there - most), 1e-9 * (1 + most));
                ck_assert_uint_eq(anb_packed_count(best.left), (uint32_t)left);
            }
        }
    }
}
END_TEST

/* Random trees of a depth over five doubled features, some nodes never cut. */
static void make_trees(AnbCut *cuts, size_t trees, unsigned depth)
{
    for (size_t i = 0; i < trees << depth; i++) {
        unsigned code = below(252), left = below(2);
        cuts[i] = below(6) == 0 ? anb_cuts_none()
                                : (AnbCut){(float)code, (uint16_t)(below(5) + 5 * left), (uint8_t)code, (uint8_t)left};
    }
}

START_TEST(trees_are_walked_the_same_way_by_value_and_by_code)
{
    static AnbCut cuts[16 << ANB_CUTS_DEPTH];
    static uint8_t block[5 * ANB_CUTS_BLOCK], by_code[ANB_CUTS_BLOCK];
    for (unsigned depth = 1; depth <= ANB_CUTS_DEPTH; depth++) {
        make_trees(cuts, 16, depth);
        for (size_t i = 0; i < sizeof block; i++)
            block[i] = (uint8_t)below(256);
        for (size_t t = 0; t < 11; t++) {
            const AnbCut *tree = cuts + (t << depth);
            anb_cuts_apply(tree, depth, block, 5, by_code);
            for (size_t i = 0; i < ANB_CUTS_BLOCK; i++) {
                float row[10];
                uint8_t leaf[16];
                unsigned k = 1;
                for (size_t j = 0; j < 5; j++) {
                    uint8_t c = block[j * ANB_CUTS_BLOCK + i];
                    anb_cuts_cell(row, 5, j, c == ANB_FINE_MISSING ? (float)ANB_NAN : (float)c);
                }
                while (k < 1u << depth) {
                    uint8_t c = block[tree[k].feature % 5 * ANB_CUTS_BLOCK + i];
                    bool all_left = tree[k].code == ANB_FINE_MISSING;
                    bool right = c == ANB_FINE_MISSING ? !tree[k].missing_left : c > tree[k].code;
                    k = 2 * k + (!all_left && right);
                }
                anb_cuts_descend(cuts, 11, depth, row, leaf);
                ck_assert_uint_eq(leaf[t], k - (1u << depth));
                ck_assert_uint_eq(by_code[i], leaf[t]);
            }
        }
    }
}
END_TEST

/* Rows shown by columns reach the leaves that each reaches alone, on every instruction set. */
START_TEST(many_rows_reach_the_leaves_of_each)
{
    static AnbCut cuts[8 << ANB_CUTS_DEPTH];
    static float columns[10 * ANB_CUTS_ROWS];
    static uint8_t many[7 * ANB_CUTS_ROWS];
    AnbIsa was = anb_isa_in_use();
    for (int round = 0; round < 3 * ANB_CUTS_DEPTH * 4; round++) {
        unsigned depth = 1 + (unsigned)(round / 3 % ANB_CUTS_DEPTH);
        if (!anb_isa_use((AnbIsa)(round % 3)))
            continue;
        make_trees(cuts, 8, depth);
        for (size_t i = 0; i < 5 * ANB_CUTS_ROWS; i++) {
            unsigned c = below(256);
            columns[i] = c == ANB_FINE_MISSING ? INFINITY : (float)c;
            columns[5 * ANB_CUTS_ROWS + i] = c == ANB_FINE_MISSING ? -INFINITY : (float)c;
        }
        anb_cuts_descend_rows(cuts, 7, depth, columns, many);
        for (size_t i = 0; i < ANB_CUTS_ROWS; i++) {
            float row[10];
            uint8_t leaf[8];
            for (size_t j = 0; j < 10; j++)
                row[j] = columns[j * ANB_CUTS_ROWS + i];
            anb_cuts_descend(cuts, 7, depth, row, leaf);
            for (size_t t = 0; t < 7; t++)
                ck_assert_uint_eq(many[t * ANB_CUTS_ROWS + i], leaf[t]);
        }
    }
    anb_isa_use(was);
}
END_TEST

START_TEST(thresholds_agree_with_edges)
{
    const double odd[] = {0, -0.0, 1e-46, -1e-46, 1e300, -1e300, 3.4e38, 16777217, -16777217, .1, -.1, INFINITY};
    for (size_t e = 0; e < sizeof odd / sizeof *odd; e++)
        for (size_t i = 0; i < 2000; i++) {
            double edge = odd[e] * (1 + (i > 3 ? uniform_of(&seed) : 0));
            float x = i % 2 ? anb_cuts_value(edge) : nextafterf(anb_cuts_value(edge), i % 4 ? INFINITY : -INFINITY);
            x = anb_cuts_value(x);
            ck_assert_int_eq(x > anb_cuts_threshold(edge), x > edge);
        }
}
END_TEST

static uint64_t all_bits(void)
{
    static AnbPacked h[COLUMNS * ANB_CODES];
    static AnbCut cuts[8 << 6];
    static uint8_t block[5 * ANB_CUTS_BLOCK], leaf[ANB_CUTS_BLOCK];
    uint64_t hash = 14695981039346656037u;
    seed = 11;
    for (int round = 0; round < 20; round++) {
        double unit = make_sample(ldexp(1, 40 * round - 400));
        memset(h, 0, sizeof h);
        anb_packed_make(cells, ROWS, unit);
        anb_packed_fill(h, COLUMNS, words(), order, ROWS, codes, STRIDE);
        hash = hash_of(hash, h, sizeof h);
        AnbPackedRule rule = {.ridge = 2, .min_rows = 5};
        for (int c = 0; c < ANB_CODES; c++)
            rule.total += h[c];
        AnbPackedCut best = {0};
        for (uint32_t k = 0; k < COLUMNS; k++)
            anb_packed_cut(h + k * ANB_CODES, edges[k], &rule, k, &best);
        hash = hash_of(hash, &best, sizeof best);
        make_trees(cuts, 8, 6);
        for (size_t i = 0; i < sizeof block; i++)
            block[i] = (uint8_t)below(256);
        anb_cuts_apply(cuts, 6, block, 5, leaf);
        hash = hash_of(hash, leaf, sizeof leaf);
    }
    return hash;
}

START_TEST(instruction_sets_agree)
{
    AnbIsa was = anb_isa_in_use();
    anb_isa_use(ANB_ISA_BASELINE);
    uint64_t plain = all_bits();
    for (AnbIsa isa = ANB_ISA_V3; isa < ANB_ISA_COUNT; isa++)
        if (anb_isa_use(isa))
            ck_assert_msg(all_bits() == plain, "%s differs", anb_isa_name(isa));
    anb_isa_use(was);
}
END_TEST

/* n numbers, in slices of so many. */
static void sort_in_slices(uint32_t n, uint32_t most)
{
    enum { ROOM = 2000 };
    static double buffer[2 * ROOM], plain[ROOM];
    AnbSorterRoom room = {buffer, ROOM};
    AnbSorter sorter;
    for (uint32_t i = 0; i < n; i++)
        buffer[i] = plain[i] = i % 3 ? uniform_of(&seed) : below(4);
    anb_sorter_start(&sorter, n);
    for (int slices = 0; !anb_sorter_done(&sorter); slices++) {
        ck_assert_int_lt(slices, 128);
        ck_assert(anb_sorter_valid(&sorter, ROOM, most));
        ck_assert_uint_le(anb_sorter_slice(&sorter, &room, most), most > 511 ? most : 511);
    }
    qsort(plain, n, sizeof *plain, rising);
    ck_assert(n == 0 || memcmp(plain, anb_sorter_buffer(&room, sorter.from), n * sizeof *plain) == 0);
}

START_TEST(slices_sort)
{
    for (uint32_t n = 0; n <= 2000; n = n < 40 ? n + 1 : n + 98) {
        sort_in_slices(n, 2000);
        sort_in_slices(n, 256);
    }
}
END_TEST

static Suite *packed_suite(void)
{
    Suite *suite = suite_create("packed");
    TCase *tests = case_of(suite, 20);
    tcase_add_test(tests, words_hold_sums_and_counts);
    tcase_add_test(tests, the_best_cut_is_the_best_of_all);
    tcase_add_test(tests, many_rows_reach_the_leaves_of_each);
    tcase_add_test(tests, trees_are_walked_the_same_way_by_value_and_by_code);
    tcase_add_test(tests, thresholds_agree_with_edges);
    tcase_add_test(tests, instruction_sets_agree);
    tcase_add_test(tests, slices_sort);
    return suite;
}

CHECK_MAIN(packed_suite)
