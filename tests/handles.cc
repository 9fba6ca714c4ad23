// The handles of anabranch.hpp, with and without exceptions: handles FOLDER
#include <anabranch/anabranch.hpp>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>

using namespace anabranch;

static int passed, failed;

static void check(bool fine, const char *what, int line)
{
    fine ? passed++ : failed++;
    if (!fine)
        std::printf("line %d: not so: %s\n", line, what);
}
#define CHECK(fine) check(fine, #fine, __LINE__)

#ifdef __cpp_exceptions
template <class Call> static void throws(Call call, int code, const char *words, int line)
{
    try {
        call();
        check(false, "nothing was thrown", line);
    } catch (const Error &error) {
        check(error.code == code && std::strstr(error.what(), words), error.what(), line);
    }
}
#define THROWS(call, code, words) throws([&] { (void)(call); }, code, words, __LINE__)
#else
#define THROWS(call, code, words) (void)(call)
#endif

static_assert(!std::is_copy_constructible_v<Model> && std::is_nothrow_move_constructible_v<Model>);
static_assert(sizeof(Model) == sizeof(StreamingLearner *));
static_assert(!std::is_constructible_v<Row, std::vector<float>> && std::is_constructible_v<Row, std::array<double, 3>>);

static const std::vector<double> x = {0, 1, 1, 0, 2, 1, 1, 2}, y = {3, 2, 5, 4};

static void learning()
{
    auto model = Model::parse(2, "scale(rls)");
    StreamingLearner *plain = anb_parse(2, "scale(rls)", nullptr, nullptr);
    CHECK(model && model.n_features() == 2 && model.expression() == "scale(rls)");
    for (std::size_t i = 0; i < y.size(); i++)
        CHECK(model.train_one({x[2 * i], x[2 * i + 1]}, y[i]) == anb_train_one(plain, &x[2 * i], y[i], 1));
    CHECK(model.predict_one(std::array<double, 2>{.5, .25}) == anb_predict(plain, std::vector<double>{.5, .25}.data()));
    CHECK(model.n_samples_seen() == 4);
    auto many = Model::parse(2, "scale(rls)");
    auto before = many.train_many(x, y);
    CHECK(before.size() == 4 && anb_equal(many.get(), model.get()));
    CHECK(many.predict_many(x)[3] == model.predict_one({x.data() + 6, 2}));
    many.train_many(x, y, std::vector<double>{0, 0, 0, 0});
    CHECK(many.n_samples_seen() == 4);
    auto copy = model.clone();
    Model moved = std::move(model);
    CHECK(!model && anb_equal(copy.get(), moved.get()));
    moved.train_one({1, 1}, 9, 2);
    CHECK(!anb_equal(copy.get(), moved.get()));
    copy = std::move(moved);
    CHECK(copy.n_samples_seen() == 5 && copy.predict_one({std::vector<double>{NAN, INFINITY}}) != 0);
    anb_free(plain);
}

static void keeping(const std::string &folder)
{
    auto model = Model::parse(2, "interval(scale(rls))");
    for (int i = 0; i < 50; i++)
        model.train_one({i % 5 / 5., i % 7 / 7.}, i % 3);
    double low = 0, high = 0;
    CHECK(model.predict_interval({.5, .5}, .9, low, high) && low < high);
    THROWS(model.predict_interval({.5, .5}, .3, low, high), ANB_E_ARGUMENT, "out of its range");
    const std::string path = folder + "/handles.anb";
    CHECK(model.save(path));
    CHECK(anb_equal(Model::load(path).get(), model.get()));
    const std::string bytes = model.save_memory();
    CHECK(anb_equal(Model::load_memory(bytes).get(), model.get()));
    AnbError error = {};
    CHECK(!Model::load_memory(std::string_view(bytes).substr(0, 50), nullptr, &error) && error.code == ANB_E_TRUNCATED);
    THROWS(Model::load(folder + "/none.anb"), ANB_E_IO, "none.anb");
    CHECK(!model.save(folder + "/none/a.anb", nullptr, &error) && error.code == ANB_E_IO);
    Snapshot snapshot(anb_snapshot_read(path.c_str(), nullptr, &error));
    CHECK(snapshot && snapshot->n_features == 2);
}

static void schemas()
{
    auto schema = Schema::parse("size shop:category");
    auto model = Model::parse(schema, "scale(rls)");
    schema = Schema::parse("size shop:category");
    const std::vector<std::string> cells = {"3.5", "Ulm"};
    auto row = schema.row(cells);
    CHECK(row.size() == 2 && row[0] == 3.5 && row[1] == anb_category("Ulm", 3));
    model.train_one(row, 4);
    CHECK(model.n_samples_seen() == 1);
    CHECK(std::isnan(schema.row(std::array<std::string_view, 2>{std::string_view(), "Ulm"})[0]));
    AnbError error = {};
    CHECK(schema.row(std::array<const char *, 2>{"wide", "Ulm"}, &error).empty() && error.code == ANB_E_INPUT);
    THROWS(schema.row(std::array<const char *, 1>{"3"}), ANB_E_ARGUMENT, "");
    THROWS(Schema::parse("size:volume"), ANB_E_UNKNOWN, "an unknown kind");
}

static void refusals()
{
    AnbError error = {};
    CHECK(!Model::parse(2, "scale(rlz)", nullptr, &error) && error.code == ANB_E_UNKNOWN && error.position == 6);
    CHECK(std::strstr(error.message, "rlz"));
    THROWS(Model::parse(2, "scale(rlz)"), ANB_E_UNKNOWN, "rlz");
    auto model = Model::parse(2, "mean");
    THROWS(model.train_one({1, 2, 3}, 4), ANB_E_ARGUMENT, "3 values, not 2");
    THROWS(model.predict_one({1}), ANB_E_ARGUMENT, "1 values");
    THROWS(model.train_many(x, Row(y.data(), 3)), ANB_E_ARGUMENT, "8 values, not 3 rows of 2");
    CHECK(model.train_many(x, y, {1., 2.}, &error).empty() && std::strstr(error.message, "2 values, not 4"));
    CHECK(model.predict_many({1, 2, 3}, &error).empty() && error.code == ANB_E_ARGUMENT);
    CHECK(model.n_samples_seen() == 0);
#ifndef __cpp_exceptions
    CHECK(!Model::parse(2, "scale(rlz)") && std::isnan(model.predict_one({1})) && !model.save("/none/a.anb"));
#endif
}

static void beside()
{
    auto a = Model::parse(2, "mean"), b = a.clone();
    auto pool = Pool::make(2);
    const std::vector<const double *> rows = {&x[0], &x[2], &x[4], &x[6]};
    CHECK(pool.train({a.get(), b.get(), a.get(), b.get()}, rows, y).size() == 4);
    CHECK(pool.predict({a.get(), b.get()}, {&x[0], &x[0]}) == std::vector<double>({4, 3}));
    THROWS(pool.train({a.get()}, rows, y), ANB_E_ARGUMENT, "out of its range");
    auto score = Score::make();
    score.add(3, 2);
    score.add(3, 4);
    CHECK(score.report().n == 2 && score.report().mae == 1);
    AnbError error = {};
    Server server(anb_serve_new(a.get(), 1, &error));
    ServeReader reader(anb_serve_reader_new(server.get(), &error));
    CHECK(anb_serve_predict(reader.get(), x.data()) == 4);
    Diagnostics diagnostics(anb_diagnostics_new(a.get(), nullptr, &error));
    CHECK(diagnostics != nullptr);
}

int main(int, char **argument)
{
    learning();
    keeping(argument[1]);
    schemas();
    refusals();
    beside();
    std::printf("100%%: Checks: %d, Failures: %d, Errors: 0\n", passed + failed, failed);
    return failed > 0;
}
