/* The eigenvalues of an rls' P, by GSL. */
#ifndef ANB_TESTS_SPECTRUM_H
#define ANB_TESTS_SPECTRUM_H

#include "src/numeric/rls.h"
#include <gsl/gsl_eigen.h>

typedef struct Spectrum {
    double least, most;
} Spectrum;

static inline Spectrum spectrum_of(const AnbRls *rls, const double *state)
{
    size_t n = rls->n + rls->intercept;
    gsl_matrix *p = gsl_matrix_alloc(n, n);
    gsl_vector *values = gsl_vector_alloc(n);
    gsl_eigen_symm_workspace *room = gsl_eigen_symm_alloc(n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            gsl_matrix_set(p, i, j, anb_rls_p(rls, state, i, j));
    gsl_eigen_symm(p, values, room);
    Spectrum spectrum = {gsl_vector_min(values), gsl_vector_max(values)};
    gsl_eigen_symm_free(room);
    gsl_vector_free(values);
    gsl_matrix_free(p);
    return spectrum;
}

#endif
