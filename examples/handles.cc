// The library in C++17: a model of a table with a category learns, is saved, and its copy predicts.
#include <anabranch/anabranch.hpp>
#include <array>
#include <cstdio>

int main(int, char **argument)
try {
    const std::array<const char *, 2> towns = {"Ulm", "Bonn"};
    auto schema = anabranch::Schema::parse("area town:category");
    auto model = anabranch::Model::parse(schema, "scale(rls)");
    auto score = anabranch::Score::make();
    for (std::size_t i = 0; i < 2000; i++) {
        const std::string area = std::to_string(40 + i % 97);
        auto row = schema.row(std::array<std::string_view, 2>{area, towns[i % 2]});
        double price = 2000 * row[0] + (i % 2 ? 30000 : 0);
        score.add(price, model.train_one(row, price));
    }
    auto copy = model.clone();
    auto row = schema.row(std::array<std::string_view, 2>{"95", "Ulm"});
    std::printf("95 square metres in Ulm: %.0f, and it should be 190000\n", copy.predict_one(row));
    std::printf("mean error in the second half: %.0f\n", score.report().rmse_second_half);
    if (argument[1])
        model.save(argument[1]);
    return 0;
} catch (const anabranch::Error &error) { // says what is wrong and where, as in "scale(rlz)"
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
