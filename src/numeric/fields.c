#include "fields.h"
#include "src/text/field_reader.h"

enum { BLOCK = 64, RECORD = 8 };

size_t anb_fields_count(const AnbField *fields)
{
    size_t n = 0;
    while (fields && fields[n].name)
        n++;
    return n;
}

static size_t alignment(const AnbField *f)
{
    if (f->part || (f->must & ANB_ALIGNED))
        return BLOCK;
    return f->stride ? RECORD : ANB_SCALAR_BYTES(f->kind);
}

static size_t item_bytes(const AnbField *f)
{
    return f->stride ? f->stride : ANB_SCALAR_BYTES(f->kind);
}

static size_t capacity(const AnbField *f, const AnbNode *self)
{
    return f->count ? f->count(self) : f->fixed;
}

static size_t used(const AnbField *f, const AnbNode *self, const void *state)
{
    size_t most = f->part ? 1 : capacity(f, self), n = f->used ? f->used(self, state) : most;
    return n < most ? n : most;
}

/* Bytes of a field; SIZE_MAX / 2 where the product has no meaning. */
static size_t bytes_of(const AnbField *f, const AnbNode *self)
{
    if (f->part)
        return f->part->size(self, f);
    size_t n = capacity(f, self), bytes = item_bytes(f);
    return n < SIZE_MAX / 2 / bytes ? n * bytes : SIZE_MAX / 2;
}

/* Where a field starts if `end` bytes are in front of it. */
static size_t start_of(const AnbField *f, size_t end)
{
    size_t unit = alignment(f);
    return (end + unit - 1) / unit * unit;
}

static size_t sum(size_t a, size_t b)
{
    return b < SIZE_MAX / 2 - a ? a + b : SIZE_MAX / 2;
}

size_t anb_fields_layout(const AnbField *fields, const AnbNode *self, size_t *at)
{
    size_t end = 0;
    for (const AnbField *f = fields; f && f->name; f++) {
        size_t start = start_of(f, end);
        if (at)
            at[f - fields] = start;
        end = sum(start, bytes_of(f, self));
    }
    return end;
}

/* ---- showing ----------------------------------------------------------------------------------------------------- */

void anb_struct_visit(const AnbField *members, void *record, AnbVisitor *visitor)
{
    for (const AnbField *f = members; f->name; f++) {
        char *data = (char *)record + f->offset;
        if (f->must & ANB_DERIVED || !anb_visits_since(visitor, f->since))
            continue;
        if (!f->record)
            anb_visit(visitor, f->name, data, f->kind, f->fixed);
        for (size_t i = 0; f->record && i < f->fixed; i++)
            anb_struct_visit(f->record, data + i * f->stride, visitor);
    }
}

static void visit_field(const AnbField *f, const AnbNode *self, void *state, void *data, AnbVisitor *visitor)
{
    size_t n = used(f, self, state);
    if (f->part && n > 0)
        f->part->visit(self, f, state, data, visitor);
    else if (!f->part && !f->record)
        anb_visit(visitor, f->name, data, f->kind, n);
    for (size_t i = 0; f->record && i < n; i++)
        anb_struct_visit(f->record, (char *)data + i * f->stride, visitor);
}

void anb_fields_visit(const AnbField *fields, const AnbNode *self, void *state, AnbVisitor *visitor)
{
    size_t end = 0;
    for (const AnbField *f = fields; f && f->name; f++) {
        size_t start = start_of(f, end);
        if (!(f->must & ANB_DERIVED) && anb_visits_since(visitor, f->since))
            visit_field(f, self, state, (char *)state + start, visitor);
        end = start + bytes_of(f, self);
    }
}

void anb_visit_subtree(const AnbNode *node, void *state, AnbVisitor *visitor)
{
    size_t parts = node->n_children + (node->router != NULL);
    anb_visit_own(node, state, visitor);
    for (size_t i = 0; i < parts; i++)
        anb_visit_subtree(&node->children[i], anb_child_state(&node->children[i], state), visitor);
}

int anb_fields_upgrade(const AnbNode *self, unsigned from, const unsigned char *bytes, size_t size, void *state)
{
    AnbFieldReader reader = anb_field_reader(bytes, size);
    reader.visitor.version = from;
    anb_visit_own(self, state, &reader.visitor);
    return anb_fields_end(&reader);
}

/* ---- checking ---------------------------------------------------------------------------------------------------- */

typedef struct Fault {
    const char *field, *what; /* what: the fault; NULL: none */
    size_t at;
} Fault;

static double real_at(const AnbField *f, const void *data, size_t i)
{
    return f->kind == ANB_F32 ? (double)((const float *)data)[i] : ((const double *)data)[i];
}

static uint64_t whole_at(const AnbField *f, const void *data, size_t i)
{
    switch (f->kind) {
    case ANB_U8:
        return ((const uint8_t *)data)[i];
    case ANB_U16:
        return ((const uint16_t *)data)[i];
    case ANB_U32:
        return ((const uint32_t *)data)[i];
    default:
        return ((const uint64_t *)data)[i];
    }
}

static bool is_real(const AnbField *f)
{
    return f->kind == ANB_F32 || f->kind == ANB_F64;
}

/* What is wrong with one value, or NULL. */
static const char *wrong(const AnbField *f, const void *data, size_t i, uint64_t most)
{
    if (!is_real(f))
        return whole_at(f, data, i) > most ? "is too large" : NULL;
    double v = real_at(f, data, i);
    if ((f->must & ANB_FINITE) && v - v != 0)
        return "is not finite";
    return (f->must & ANB_NOT_NEGATIVE) && !(v >= 0) ? "is negative" : NULL;
}

static bool is_checked(const AnbField *f)
{
    return !(f->must & ANB_DERIVED) && (is_real(f) ? f->must & (ANB_FINITE | ANB_NOT_NEGATIVE) : f->most != NULL);
}

static void check_scalars(const AnbField *f, const AnbNode *self, const void *data, size_t n, Fault *fault)
{
    uint64_t most = f->most ? f->most(self) : UINT64_MAX;
    for (size_t i = 0; is_checked(f) && i < n && !fault->what; i++)
        *fault = (Fault){f->name, wrong(f, data, i, most), i};
}

static void check_struct(const AnbField *members, const AnbNode *self, const void *record, Fault *fault)
{
    for (const AnbField *f = members; f->name && !fault->what; f++) {
        const char *data = (const char *)record + f->offset;
        if (!f->record)
            check_scalars(f, self, data, f->fixed, fault);
        for (size_t i = 0; f->record && i < f->fixed && !fault->what; i++)
            check_struct(f->record, self, data + i * f->stride, fault);
    }
}

static void check_field(const AnbField *f, const AnbNode *self, const void *data, size_t n, Fault *fault)
{
    if (!f->record)
        check_scalars(f, self, data, n, fault);
    for (size_t i = 0; f->record && i < n && !fault->what; i++) {
        check_struct(f->record, self, (const char *)data + i * f->stride, fault);
        fault->at = n > 1 && fault->what ? i : fault->at;
    }
}

int anb_fields_validate(const AnbField *fields, const AnbNode *self, const void *state, AnbError *error)
{
    Fault fault = {0};
    size_t end = 0;
    for (const AnbField *f = fields; f && f->name; f++) {
        size_t start = start_of(f, end);
        const char *data = (const char *)state + start;
        size_t n = used(f, self, state);
        int code = f->part && f->part->validate && n > 0 ? f->part->validate(self, f, state, data, error) : 0;
        if (code)
            return code;
        if (!f->part && !(f->must & ANB_DERIVED))
            check_field(f, self, data, n, &fault);
        if (fault.what)
            return anb_fail(error, ANB_E_STATE, "%s: %s[%zu] %s", self->type->name, fault.field, fault.at, fault.what);
        end = start + bytes_of(f, self);
    }
    return 0;
}

bool anb_struct_valid(const AnbField *members, const void *record)
{
    Fault fault = {0};
    check_struct(members, NULL, record, &fault);
    return !fault.what;
}
