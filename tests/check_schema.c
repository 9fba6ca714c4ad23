#include "suite.h"
#include <anabranch/schema.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static AnbCell cell(const char *text)
{
    return (AnbCell){text, text ? strlen(text) : 0};
}

static AnbSchema *parsed(const char *text)
{
    AnbError error;
    AnbSchema *schema = anb_schema_parse(text, NULL, &error);
    ck_assert_msg(schema != NULL, "%s: %s", text, error.message);
    return schema;
}

/* What one cell of one column becomes; NaN where it is missing, infinite where it was refused. */
static double read_as(const char *kind, const char *text)
{
    char column[64];
    double value = 0;
    snprintf(column, sizeof column, "a:%s", kind);
    AnbSchema *schema = parsed(column);
    int code = anb_schema_cell(schema, 0, cell(text), &value, NULL);
    anb_schema_drop(schema);
    ck_assert(code == 0 || code == ANB_E_INPUT);
    return code == 0 ? value : INFINITY;
}

START_TEST(text_and_struct_make_the_same)
{
    const AnbColumn columns[] = {{"distance", ANB_COLUMN_NUMBER, 0},      {"carrier", ANB_COLUMN_CATEGORY, 0},
                                 {"a \"b\":c", ANB_COLUMN_CODE, 0},       {"", ANB_COLUMN_BOOLEAN, 0},
                                 {"when", ANB_COLUMN_TIME, ANB_TIME_DMY}, {"carrier", ANB_COLUMN_IGNORED, 0}};
    const char *text = "distance carrier:category \"a \"\"b\"\":c\":code \"\":boolean when:time-dmy carrier:ignored";
    AnbSchema *made = anb_schema_new(columns, 6, NULL, NULL), *read = parsed(text);
    ck_assert_str_eq(anb_schema_text(made), text);
    ck_assert(anb_schema_equal(made, read) && anb_schema_size(read) == 6);
    for (size_t j = 0; j < 6; j++) {
        const AnbColumn *column = &anb_schema_columns(read)[j];
        ck_assert_str_eq(column->name, columns[j].name);
        ck_assert(column->kind == columns[j].kind && column->order == columns[j].order);
    }
    ck_assert_int_eq(anb_schema_find(read, "when", 4), 4);
    ck_assert_int_eq(anb_schema_find(read, "", 0), 3);
    ck_assert_int_eq(anb_schema_find(read, "carrier", 7), 1);
    ck_assert_int_eq(anb_schema_find(read, "carried", 7), ANB_E_UNKNOWN);
    anb_schema_drop(made);
    anb_schema_drop(read);
}
END_TEST

START_TEST(settings_are_kept)
{
    AnbSchema *schema = parsed("missing=\"x|n.a.\" a b:boolean\tdecimal=,");
    AnbSchema *again = parsed(anb_schema_text(schema));
    const AnbCell cells[] = {cell("3,5"), cell("N.A.")};
    double x[2];
    ck_assert(anb_schema_equal(schema, again) && !anb_schema_is_typed(schema));
    ck_assert(anb_schema_row(again, cells, 2, x, NULL) == 0 && x[0] == 3.5 && isnan(x[1]));
    ck_assert_int_eq(anb_schema_cell(again, 0, cell("3.5"), x, NULL), ANB_E_INPUT);
    ck_assert_int_eq(anb_schema_cell(again, 0, cell("na"), x, NULL), ANB_E_INPUT);
    anb_schema_drop(schema);
    anb_schema_drop(again);
}
END_TEST

START_TEST(cells_of_every_kind)
{
    ck_assert(read_as("number", " -1.5e3\t") == -1500 && isnan(read_as("number", "NaN")));
    ck_assert(isnan(read_as("number", "")) && isnan(read_as("number", NULL)) && isnan(read_as("number", " n/a ")));
    ck_assert(isinf(read_as("number", "12x")) && isinf(read_as("number", "1e999")) && isinf(read_as("number", "1,5")));
    ck_assert(read_as("boolean", "Yes") == 1 && read_as("boolean", "f") == 0 && isnan(read_as("boolean", "?")));
    ck_assert(isinf(read_as("boolean", "maybe")));
    ck_assert(read_as("category", "UA") == anb_category("UA", 2) &&
              read_as("category", " UA") == anb_category("UA", 2));
    ck_assert(read_as("category", "17") == 17 && read_as("category", "-3") == -3 && read_as("category", "0") == 0);
    ck_assert(read_as("category", "017") == anb_category("017", 3) && read_as("category", "-") == anb_category("", 0));
    ck_assert(read_as("category", "1.5") == anb_category("1.5", 3) && read_as("code", "1.5") == 1.5);
    ck_assert(read_as("category", "9999999999999999") == anb_category("9999999999999999", 16));
    ck_assert(read_as("category", "-0") == anb_category("-0", 2) && read_as("code", "x") == anb_category("x", 1));
    ck_assert(read_as("category", "") == anb_category("", 0) && read_as("code", "NA") == anb_category("", 0));
    ck_assert(read_as("time", "1970-01-02") == 86400 && isnan(read_as("time", "null")));
    ck_assert(read_as("time-dmy", "2/1/1970") == 86400 && isinf(read_as("time", "2/1/1970")));
    ck_assert(read_as("ignored", "anything") == 0);
}
END_TEST

START_TEST(doubles_print_and_read_back)
{
    static const struct {
        const char *kind;
        double value;
        const char *text;
    } known[] = {
        {"number", 0.1, "0.1"}, {"number", NAN, ""},  {"boolean", 1, "true"}, {"boolean", 0, "false"},
        {"category", 17, "17"}, {"code", 1.5, "1.5"}, {"boolean", 3, "3"},    {"time", 86400, "1970-01-02T00:00:00Z"},
        {"time-mdy", NAN, ""}};
    char column[64], out[ANB_CELL_SIZE];
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        snprintf(column, sizeof column, "a:%s", known[i].kind);
        AnbSchema *schema = parsed(column);
        ck_assert_uint_eq(anb_schema_format(schema, 0, known[i].value, out), strlen(out));
        ck_assert_str_eq(out, known[i].text);
        anb_schema_drop(schema);
    }
    AnbSchema *comma = parsed("a b:category decimal=,");
    anb_schema_format(comma, 0, -2.5, out);
    ck_assert_str_eq(out, "-2,5");
    ck_assert_uint_eq(anb_schema_format(comma, 1, anb_category(NULL, 0), out), 0);
    anb_schema_drop(comma);
}
END_TEST

START_TEST(refusals_say_where_and_why)
{
    static const struct {
        const char *text;
        int code;
        size_t position;
    } bad[] = {{"a b:kategory", ANB_E_UNKNOWN, 4}, {"a \"b", ANB_E_SYNTAX, 2},
               {"a \"b\"c", ANB_E_SYNTAX, 5},      {"", ANB_E_LIMIT, 0},
               {"a :number", ANB_E_SYNTAX, 2},     {"size=3 a", ANB_E_UNKNOWN, 0},
               {"a decimal=;", ANB_E_ARGUMENT, 0}, {"a=", ANB_E_SYNTAX, 2}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        AnbError error = {0};
        ck_assert_ptr_null(anb_schema_parse(bad[i].text, NULL, &error));
        ck_assert_msg(error.code == bad[i].code && error.position == bad[i].position, "%s: %d at %zu: %s", bad[i].text,
                      error.code, error.position, error.message);
    }
    AnbError error;
    AnbSchema *schema = parsed("distance when:time");
    const AnbCell cells[] = {cell("1"), cell("yesterday")};
    double x[2];
    ck_assert_int_eq(anb_schema_row(schema, cells, 2, x, &error), ANB_E_INPUT);
    ck_assert(error.position == 1);
    ck_assert_str_eq(error.message, "column 2 (when): \"yesterday\" is not a time in the order year, month, day");
    ck_assert_int_eq(anb_schema_row(schema, cells, 1, x, &error), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_schema_cell(schema, 2, cells[0], x, &error), ANB_E_ARGUMENT);
    anb_schema_drop(schema);
    const AnbColumn nameless = {0}, unknown = {"a", (AnbColumnKind)9, 0};
    ck_assert(!anb_schema_new(&nameless, 1, NULL, &error) && error.code == ANB_E_ARGUMENT);
    ck_assert(!anb_schema_new(&unknown, 1, NULL, &error) && error.code == ANB_E_ARGUMENT);
}
END_TEST

/* An allocator that counts what is out, and fails when told to. */
static int out, left;
static void *counted(size_t size, void *context)
{
    (void)context;
    if (left-- <= 0)
        return NULL;
    out++;
    return malloc(size);
}
static void given_back(void *memory, void *context)
{
    (void)context;
    out--;
    free(memory);
}

START_TEST(memory_is_given_back)
{
    const AnbAllocator allocator = {counted, given_back, NULL};
    AnbSchemaOptions options = anb_schema_defaults();
    options.allocator = &allocator;
    for (int allowed = 0; allowed < 4; allowed++) {
        left = allowed;
        AnbError error;
        AnbSchema *schema = anb_schema_parse("a \"b\":time c:category", &options, &error);
        ck_assert(schema ? out == 1 : error.code == ANB_E_MEMORY);
        AnbSchema *kept = anb_schema_keep(schema);
        anb_schema_drop(schema);
        ck_assert(!kept || anb_schema_find(kept, "c", 1) == 2);
        anb_schema_drop(kept);
        ck_assert_int_eq(out, 0);
    }
    ck_assert(left > 0);
}
END_TEST

/* Names in quotes, one of which is in each of them, or without. */
static void parse_many(bool quoted)
{
    enum { MANY = 100000 };
    char *text = malloc(MANY * 14), *at = text;
    for (int j = 0; j < MANY; j++)
        at += quoted ? sprintf(at, "\"c\"\"%d\" ", j) : sprintf(at, "c%d ", j);
    AnbSchema *schema = parsed(text);
    ck_assert_uint_eq(anb_schema_size(schema), MANY);
    for (int j = 0; j < MANY; j++) {
        char name[16];
        int n = quoted ? sprintf(name, "c\"%d", j) : sprintf(name, "c%d", j);
        ck_assert_int_eq(anb_schema_find(schema, name, (size_t)n), j);
    }
    anb_schema_drop(schema);
    free(text);
}

START_TEST(many_columns)
{
    parse_many(false);
    parse_many(true);
}
END_TEST

static Suite *suite_of(void)
{
    Suite *suite = suite_create("schema");
    TCase *tests = case_of(suite, 60);
    tcase_add_test(tests, text_and_struct_make_the_same);
    tcase_add_test(tests, settings_are_kept);
    tcase_add_test(tests, cells_of_every_kind);
    tcase_add_test(tests, doubles_print_and_read_back);
    tcase_add_test(tests, refusals_say_where_and_why);
    tcase_add_test(tests, memory_is_given_back);
    tcase_add_test(tests, many_columns);
    return suite;
}
CHECK_MAIN(suite_of)
