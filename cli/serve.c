/*
 * anabranch serve: a model behind HTTP.
 *
 *     POST /predict   {"x": ROW, "interval": 0.9, "id": 7}
 *                     -> {"prediction": f, "low": a, "high": b, "published": v}
 *                     with "quantiles": true also -> {"quantiles": {"0.1": a, "0.5": m, "0.9": b}}
 *     POST /learn     {"x": ROW, "y": 3.1, "w": 1, "seq": {...}}
 *                     -> {"prediction": what was predicted before, "samples": n}
 *     POST /label     {"id": 7, "y": 3.1} -> the same, for a row that /predict kept
 *     GET  /          the report, live      GET /metrics   for Prometheus      GET /healthz   the state in short
 *
 * ROW is an object by column names, or an array; {"rows": [...]} in a body's place asks for many at once. Predictions
 * come from whole published versions and wait for nobody; what learns takes turns, row by row (http.h).
 */
#define _GNU_SOURCE
#include "cli.h"
#include "http.h"
#include "listen.h"
#include "progress.h"
#include "stop.h"
#include "table.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const Option options[] = {
    {0, "port", "PORT", "where it listens; 0: any free one; default 8080"},
    {0, "address", "IP",
     "the address it listens on, of IPv4 or IPv6; `::`: all; default 127.0.0.1, this machine alone"},
    {0, "socket", "FILE", "listen on a Unix-domain socket at this path, not on an address"},
    {0, "socket-mode", "MODE", "who may use it, in octal, such as 660; default: as the umask says"},
    {0, "threads", "N", "threads that answer, and as many for large requests that learn, or predict; default 2"},
    {0, "token-file", "FILE", "a file whose first line every request must carry as `Authorization: Bearer ...`"},
    {0, "max-body", "BYTES", "the largest body of a request; default 1048576"},
    {0, "save-every", "SECONDS", "save what was learned so often; 0: at the end only; default 60"},
    {0, "publish-every", "MS", "milliseconds until predictions see what was learned at the latest; default 100"},
    {0}};

enum { IDLE_SECONDS = 30, CONNECTIONS = 1000 };

typedef struct Listener {
    Http http;
    Listening at;
    uint64_t threads, save_every, publish_every;
} Listener;

/* The first line without the blanks around it: a header comes without them. */
static int read_token(Listener *l, const char *path)
{
    char line[sizeof l->http.token + 64] = "";
    FILE *file = path ? fopen(path, "r") : NULL;
    if (!path)
        return 0;
    if (!file)
        return complain(BAD_USE, "cannot open %s: %s", path, strerror(errno));
    bool read = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    Cell token = cell_trim((Cell){line, strcspn(line, "\r\n")});
    if (!read || token.size == 0)
        return complain(BAD_USE, "%s: no token in its first line", path);
    if (token.size >= sizeof l->http.token)
        return complain(BAD_USE, "%s: the token is longer than %zu bytes", path, sizeof l->http.token - 1);
    memcpy(l->http.token, token.text, token.size);
    return 0;
}

/* What is read as octal: 660 is rw-rw----. */
static int mode_option(const char *text, uint64_t *mode)
{
    char *end;
    *mode = text ? strtoull(text, &end, 8) : 0;
    return text && (*end || *mode < 1 || *mode > 0777 || !strchr("01234567", *text))
               ? complain(BAD_USE, "--socket-mode takes an octal number from 1 to 777, not \"%s\"", text)
               : 0;
}

static int take_listening(Listening *p, const Arguments *a)
{
    const char *address = option_value(a, "address"), *port = option_value(a, "port");
    const char *path = option_value(a, "socket"), *mode = option_value(a, "socket-mode");
    *p = (Listening){
        .address = address ? address : "127.0.0.1", .path = path, .port = 8080, .passed = listening_passed()};
    if (p->passed && (path || address || port))
        return complain(BAD_USE, "systemd passes the socket (LISTEN_FDS): leave out --socket, --address and --port");
    if (path && (address || port))
        return complain(BAD_USE, "--socket stands in the place of --address and --port");
    if (mode && !path)
        return complain(BAD_USE, "--socket-mode is for --socket");
    int status = count_option("port", port, 0, 65535, &p->port);
    status = status ? status : mode_option(mode, &p->mode);
    return status ? status : listening_check(p);
}

static int take_options(Listener *l, const Arguments *a)
{
    *l = (Listener){.threads = 2, .http.max_body = 1 << 20, .save_every = 60, .publish_every = 100};
    int status = take_listening(&l->at, a);
    status = status ? status : count_option("threads", option_value(a, "threads"), 1, JOBS_THREADS, &l->threads);
    status = status ? status : count_option("max-body", option_value(a, "max-body"), 64, 1u << 30, &l->http.max_body);
    status = status ? status : count_option("save-every", option_value(a, "save-every"), 0, 1000000, &l->save_every);
    status = status ? status
                    : count_option("publish-every", option_value(a, "publish-every"), 1, 1000000, &l->publish_every);
    return status ? status : read_token(l, option_value(a, "token-file"));
}

/* NULL with the complaint made. MHD closes what it listens on. */
static struct MHD_Daemon *start(Listener *l)
{
    if (listening_start(&l->at))
        return NULL;
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, (uint16_t)l->at.port, NULL, NULL,
        http_handle, &l->http, MHD_OPTION_LISTEN_SOCKET, l->at.descriptor, MHD_OPTION_THREAD_POOL_SIZE,
        (unsigned)l->threads, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS, MHD_OPTION_NOTIFY_COMPLETED, http_over, &l->http, MHD_OPTION_END);
    if (!daemon) {
        complain(BAD_DATA, "%s: no server was to be had there", l->at.name);
        listening_end(&l->at);
    }
    return daemon;
}

/* Saves in its time, whatever the clock on the wall is set to, until a signal comes. */
static void tend(Listener *l)
{
    double saved = progress_clock();
    struct pollfd stop = {.fd = stop_descriptor(), .events = POLLIN};
    while (!stop_requested()) {
        poll(&stop, 1, 500);
        if (l->save_every > 0 && progress_clock() - saved >= (double)l->save_every) {
            service_save(&l->http.service); /* told on stderr and in /healthz; tried again the next time */
            saved = progress_clock();
        }
    }
}

static int serve(Listener *l)
{
    int descriptor = -1;
    stop_arm();
    signal(SIGPIPE, SIG_IGN); /* who reads the messages may be gone */
    int status = http_start(&l->http, l->threads);
    struct MHD_Daemon *daemon = status ? NULL : start(l);
    if (daemon) {
        printf("listening on %s\n", l->at.name);
        fflush(stdout);
        tend(l);
        /* MHD_stop_daemon would shut systemd's socket down. Requests from now on wait for the next service. */
        descriptor = l->at.passed ? MHD_quiesce_daemon(daemon) : -1;
    }
    http_end(&l->http);
    if (!daemon)
        return status ? status : BAD_DATA;
    listening_end(&l->at);
    MHD_stop_daemon(daemon);
    if (descriptor >= 0)
        close(descriptor);
    return service_save_last(&l->http.service);
}

static int run_serve(const Arguments *a)
{
    static Listener listener;
    Service *service = &listener.http.service;
    int status = take_options(&listener, a);
    if (status)
        return status;
    status = service_open(service, a->operand[0], listener.publish_every);
    if (!status && !save_possible(a->operand[0]))
        complain(0, "%s: what is learned cannot be saved there: %s", a->operand[0], strerror(errno));
    status = status ? status : serve(&listener);
    service_close(service);
    return status;
}

static void more_help(void)
{
    printf(
        "\nPOST /predict and /learn take {\"x\": ROW, \"y\": TARGET}; ROW is an object by column names, or an array;\n"
        "{\"rows\": [...]} asks for many. POST /label takes {\"id\": ID, \"y\": TARGET} for a row that was predicted "
        "with an\n"
        "id, a whole number or a text, by a model of pending(...). GET / is the report, /metrics for Prometheus,\n"
        "/healthz the state in short.\n"
        "By a socket, which is removed at the end: curl --unix-socket FILE http://localhost/healthz.\n"
        "A socket that systemd passes is taken in the place of --address, --port and --socket.\n"
        "SIGINT, SIGTERM and SIGHUP save the model and end it. Where MODEL cannot be written, as on a full disk,\n"
        "it is saved below TMPDIR, or /tmp; the message says where.\n");
}

const Command command_serve = {.name = "serve",
                               .brief = "a prediction service over HTTP that goes on learning",
                               .operands = "MODEL",
                               .options = options,
                               .min_operands = 1,
                               .max_operands = 1,
                               .run = run_serve,
                               .more_help = more_help};
