/*
 * The library in C++17: handles that own what the functions in C make, and the usual path. Header only; each member is
 * a call of the function of its name in C, whose comment says more.
 *
 *     auto model = anabranch::Model::parse(2, "scale(rls)");
 *     double before = model.train_one({.5, .25}, 1.25);
 *     model.save("house.anb");
 *
 * Errors. A member that takes an AnbError and is given none throws an anabranch::Error. Given one, it writes the reason
 * there and throws nothing; what it returns is empty or false then. Without exceptions (-fno-exceptions) it returns
 * that in both cases.
 *
 * A handle is moved, not copied; model.clone() makes another one. Everything else of the library takes model.get().
 *
 * Since 0.14: everything.
 */
#ifndef ANABRANCH_HPP
#define ANABRANCH_HPP

#include <anabranch/anabranch.h>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace anabranch
{

/* ---- errors ------------------------------------------------------------------------------------------------------ */

#ifdef __cpp_exceptions
/** What a member throws: what() is the message. */
class Error : public std::runtime_error
{
  public:
    explicit Error(const AnbError &why) : std::runtime_error(why.message), code(why.code), position(why.position) {}
    int code;             /* one of ANB_ERRORS */
    std::size_t position; /* in the text, as of AnbError */
};
#endif

namespace detail
{

/* Whether nothing went wrong: code is 0 or above. Otherwise it tells why. */
inline bool fine(int code, const AnbError &why, AnbError *error)
{
    if (code >= 0)
        return true;
    if (error)
        *error = why;
#ifdef __cpp_exceptions
    else
        throw Error(why);
#endif
    return false;
}

/* The same where C gives a code alone, or the fault is one of C++. */
inline bool fine(int code, const char *message, AnbError *error)
{
    AnbError why = {};
    why.code = code;
    std::string_view(message).copy(why.message, sizeof why.message - 1);
    return fine(code, why, error);
}

template <auto Function> struct Free {
    template <class T> void operator()(T *made) const noexcept { Function(made); }
};

/* The handle of what `make` makes by the function in C that it calls with its AnbError. */
template <class H, class Make> H made(AnbError *error, Make make)
{
    AnbError why = {};
    H handle(make(&why));
    fine(handle ? 0 : why.code ? why.code : ANB_E_MEMORY, why, error);
    return handle;
}

} // namespace detail

/* ---- handles ----------------------------------------------------------------------------------------------------- */

/** Owns what a function in C has made: Diagnostics d(anb_diagnostics_new(model.get(), nullptr, &error)). */
template <class T, auto Function> class Handle : public std::unique_ptr<T, detail::Free<Function>>
{
  public:
    using std::unique_ptr<T, detail::Free<Function>>::unique_ptr;
};

using Audit = Handle<AnbAudit, anb_audit_free>;
using CategoryNames = Handle<AnbCategoryNames, anb_category_names_free>;
using Diagnostics = Handle<AnbDiagnostics, anb_diagnostics_free>;
using ExpertPool = Handle<AnbExpertPool, anb_expert_pool_free>;
using Explainer = Handle<AnbExplainer, anb_explainer_free>;
using Importance = Handle<AnbImportance, anb_importance_free>;
using Reader = Handle<AnbReader, anb_reader_free>;
using Server = Handle<AnbServer, anb_serve_free>;
using ServeReader = Handle<AnbServeReader, anb_serve_reader_free>; /* ends before its Server: declare it behind */
using Snapshot = Handle<AnbSnapshot, anb_snapshot_close>;
using Superposition = Handle<AnbSuperposition, anb_superposition_free>;

/** Numbers of the caller's: of a row, of many rows one after the other, targets. Any container whose data() are
 * doubles, or {.5, .25}. As an argument only: it does not own them. */
class Row
{
  public:
    Row(const double *values, std::size_t n) : begin(values), length(n) {}
    Row(std::initializer_list<double> values) : Row(values.begin(), values.size()) {}
    template <class C, class = std::enable_if_t<
                           std::is_convertible_v<decltype(std::data(std::declval<const C &>())), const double *>>>
    Row(const C &values) : Row(std::data(values), std::size(values))
    {
    }
    const double *data() const { return begin; }
    std::size_t size() const { return length; }

  private:
    const double *begin;
    std::size_t length;
};

/** Columns by name and kind, and how cells become rows. */
class Schema : public Handle<AnbSchema, anb_schema_drop>
{
  public:
    using Handle::Handle;
    static Schema parse(const std::string &text, const AnbSchemaOptions *options = nullptr, AnbError *error = nullptr)
    {
        return detail::made<Schema>(error, [&](AnbError *why) { return anb_schema_parse(text.c_str(), options, why); });
    }
    /** The row of texts (of std::string_view, or what becomes one); one without data is a missing cell. Empty after an
     * error. */
    template <class Cells> std::vector<double> row(const Cells &cells, AnbError *error = nullptr) const
    {
        std::vector<AnbCell> given;
        for (std::string_view cell : cells)
            given.push_back({cell.data(), cell.size()});
        std::vector<double> x(anb_schema_size(get()));
        AnbError why = {};
        if (!detail::fine(anb_schema_row(get(), given.data(), given.size(), x.data(), &why), why, error))
            x.clear();
        return x;
    }
};

/** A model. A row that it rejects, or one of another size where no exceptions are thrown, has the prediction NaN. */
class Model : public Handle<StreamingLearner, anb_free>
{
  public:
    using Handle::Handle;
    static Model parse(std::size_t n_features, const std::string &expression, const AnbModelOptions *options = nullptr,
                       AnbError *error = nullptr)
    {
        return detail::made<Model>(
            error, [&](AnbError *why) { return anb_parse(n_features, expression.c_str(), options, why); });
    }
    /** For rows of a schema, of which the model keeps a reference. */
    static Model parse(const Schema &schema, const std::string &expression, const AnbModelOptions *options = nullptr,
                       AnbError *error = nullptr)
    {
        return detail::made<Model>(
            error, [&](AnbError *why) { return anb_parse_schema(schema.get(), expression.c_str(), options, why); });
    }
    static Model load(const std::string &path, const AnbModelOptions *options = nullptr, AnbError *error = nullptr)
    {
        return detail::made<Model>(error, [&](AnbError *why) { return anb_load(path.c_str(), options, why); });
    }
    static Model load_memory(std::string_view bytes, const AnbModelOptions *options = nullptr,
                             AnbError *error = nullptr)
    {
        return detail::made<Model>(
            error, [&](AnbError *why) { return anb_load_memory(bytes.data(), bytes.size(), options, why); });
    }
    Model clone(AnbError *error = nullptr) const
    {
        return detail::made<Model>(error, [&](AnbError *why) { return anb_clone(get(), why); });
    }
    bool save(const std::string &path, const AnbSnapshotExtras *extras = nullptr, AnbError *error = nullptr) const
    {
        AnbError why = {};
        return detail::fine(anb_save(get(), extras, path.c_str(), &why), why, error);
    }
    /** The snapshot's bytes; empty after an error. */
    std::string save_memory(const AnbSnapshotExtras *extras = nullptr, AnbError *error = nullptr) const
    {
        std::string bytes(anb_snapshot_size(get(), extras), '\0');
        AnbError why = {};
        if (!detail::fine(anb_snapshot_to_memory(get(), extras, bytes.data(), bytes.size(), &why), why, error))
            bytes.clear();
        return bytes;
    }

    double predict_one(Row x) { return fits(x, 1, nullptr) ? anb_predict(get(), x.data()) : ANB_NAN; }
    /** The prediction made before learning. */
    double train_one(Row x, double y, double weight = 1)
    {
        return fits(x, 1, nullptr) ? anb_train_one(get(), x.data(), y, weight) : ANB_NAN;
    }
    /** Rows one after the other; a prediction each. */
    std::vector<double> predict_many(Row x, AnbError *error = nullptr)
    {
        std::vector<double> out(x.size() / n_features());
        if (!fits(x, out.size(), error))
            return {};
        anb_predict_many(get(), x.data(), out.size(), out.data());
        return out;
    }
    /** Learned in order, each with the prediction made before; no weights: 1 each. */
    std::vector<double> train_many(Row x, Row y, Row weight = Row(nullptr, 0), AnbError *error = nullptr)
    {
        std::vector<double> out(y.size());
        if (!fits(x, out.size(), error) || (weight.size() > 0 && !fits(weight, out.size(), error, 1)))
            return {};
        anb_train_many(get(), x.data(), y.data(), weight.size() ? weight.data() : nullptr, out.size(), out.data());
        return out;
    }
    /** False with the reason where the model has no such interval. */
    bool predict_interval(Row x, double coverage, double &low, double &high, AnbError *error = nullptr)
    {
        if (!fits(x, 1, error))
            return false;
        int code = anb_predict_interval(get(), x.data(), coverage, &low, &high);
        return detail::fine(code, anb_error_text(code), error);
    }

    std::size_t n_features() const { return anb_n_features(get()); }
    std::uint64_t n_samples_seen() const { return anb_n_samples_seen(get()); }
    std::string expression() const { return anb_expression(get()); }

  private:
    /* Whether these are the cells of n rows of the model, or of `width` each. */
    bool fits(Row x, std::size_t n, AnbError *error, std::size_t width = 0) const
    {
        width = width ? width : n_features();
        std::string wanted = std::to_string(n == 1 ? width : n);
        if (n != 1 && width != 1)
            wanted += " rows of " + std::to_string(width);
        return x.size() == n * width ||
               detail::fine(ANB_E_ARGUMENT, (std::to_string(x.size()) + " values, not " + wanted).c_str(), error);
    }
};

/** Prequential errors. */
class Score : public Handle<AnbScore, anb_score_free>
{
  public:
    using Handle::Handle;
    static Score make(AnbError *error = nullptr) { return detail::made<Score>(error, anb_score_new); }
    void add(double y, double prediction) { anb_observe(anb_score_observer(get()), nullptr, nullptr, y, prediction); }
    AnbScoreReport report() const
    {
        AnbScoreReport report;
        anb_score_report(get(), &report);
        return report;
    }
};

/** Threads for many models: sample i is that of models[i], with the row x[i]. */
class Pool : public Handle<AnbPool, anb_pool_free>
{
  public:
    using Handle::Handle;
    using Models = std::vector<StreamingLearner *>;
    using Rows = std::vector<const double *>;
    static Pool make(std::size_t threads = 0, AnbError *error = nullptr)
    {
        return detail::made<Pool>(error, [&](AnbError *why) { return anb_pool_new(threads, why); });
    }
    std::vector<double> train(const Models &models, const Rows &x, Row y, AnbError *error = nullptr)
    {
        return work(models, x, y.size(), error, [&](double *out) {
            return anb_pool_train(get(), models.data(), x.data(), y.data(), nullptr, models.size(), out);
        });
    }
    std::vector<double> predict(const Models &models, const Rows &x, AnbError *error = nullptr)
    {
        return work(models, x, x.size(), error,
                    [&](double *out) { return anb_pool_predict(get(), models.data(), x.data(), models.size(), out); });
    }

  private:
    template <class Call>
    std::vector<double> work(const Models &models, const Rows &x, std::size_t n, AnbError *error, Call call)
    {
        std::vector<double> out(models.size());
        int code = x.size() == out.size() && n == out.size() ? call(out.data()) : int(ANB_E_ARGUMENT);
        return detail::fine(code, anb_error_text(code), error) ? out : std::vector<double>();
    }
};

} // namespace anabranch

#endif
