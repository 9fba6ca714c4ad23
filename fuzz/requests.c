/*
 * Any JSON as a request of `anabranch serve`: an answer that is JSON, with a reason where it is a refusal; of a row
 * that is refused nothing is learned.
 */
#include "cli/cli.h"
#include "cli/service.h"
#include "fuzz.h"

/* ---- what the requests stand on here ----------------------------------------------------------------------------- */

int complain(int status, const char *format, ...)
{
    (void)format;
    return status;
}

void history_sample(History *history, AnbDiagnostics *d)
{
    (void)history, (void)d;
}

void evidence_add(Evidence *evidence, AnbDiagnostics *d, const double *x, double y, double prediction, uint64_t row)
{
    (void)evidence, (void)d, (void)x, (void)y, (void)prediction, (void)row;
}

/* ---- a service --------------------------------------------------------------------------------------------------- */

static const char *const names[] = {"a", "b\xc3\xa4", "c", "d"};
static AnbSnapshot snapshot = {.extras = {names, "y", NULL, 0}};

/* Of columns with kinds, of numbers with names, or of numbers alone. */
static Service service_of(unsigned kind)
{
    static const char *const expressions[] = {"pending(interval(scale(linear), coverage=[0.5, 0.9]), capacity=3)",
                                              "pending(quantile(scale(linear), levels=[0.1, 0.9]), capacity=3)",
                                              "mean"};
    static AnbSnapshot bare;
    Service s = {.n_features = 4};
    s.saved.snapshot = kind == 2 ? &bare : &snapshot;
    s.saved.schema = kind == 0 ? anb_schema_parse("a \"b\xc3\xa4\":time c:category d:boolean", NULL, NULL) : NULL;
    s.saved.model = kind == 0 ? anb_parse_schema(s.saved.schema, expressions[0], NULL, NULL)
                              : anb_parse(4, expressions[kind], NULL, NULL);
    s.server = anb_serve_new_with(s.saved.model, NULL, NULL);
    s.ranges = ranges_of(s.saved.model);
    s.n_levels = anb_quantile_levels(s.saved.model, &s.level);
    pthread_key_create(&s.reader, NULL);
    FUZZ_ASSERT(s.server && (kind > 0 || s.saved.schema), "no service %u", kind);
    return s;
}

static void end(Service *s)
{
    anb_serve_reader_free(pthread_getspecific(s->reader));
    pthread_key_delete(s->reader);
    anb_serve_free(s->server);
    anb_free(s->saved.model);
    anb_schema_drop(s->saved.schema);
}

static void ask(Service *s, json_t *body, json_t *(*answer)(Service *, json_t *, int *))
{
    int status = 0;
    uint64_t before = s->changes;
    json_t *said = answer(s, body, &status);
    char *text = json_dumps(said, JSON_COMPACT);
    FUZZ_ASSERT(text, "status %d without an answer", status);
    bool refused = json_object_get(said, "error") != NULL, rows = json_is_array(json_object_get(body, "rows"));
    FUZZ_ASSERT(refused == (status != 200), "status %d with %s", status, text);
    FUZZ_ASSERT(rows || !refused || s->changes == before, "learned, and refused with %s", text);
    free(text);
    json_decref(said);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    json_t *body = json_loadb((const char *)data + 1, size - 1, JSON_REJECT_DUPLICATES, NULL);
    if (!body)
        return 0;
    Service s = service_of(data[0] % 3);
    ask(&s, body, service_predict);
    ask(&s, body, service_learn);
    ask(&s, body, service_label);
    end(&s);
    json_decref(body);
    return 0;
}
