#include "core/generate/colour.h"

#include <math.h>
#include <string.h>

#define DARKEST   5.0f
#define BRIGHTEST 250.0f
#define LEAST_VAR 1e-3 /* gray levels squared: a picture of one colour has roots all the same */
#define SWEEPS    30

void luc_colour_measure(const float *p, size_t pixels, struct luc_colour_stats *s)
{
    memset(s, 0, sizeof(*s));
    for (size_t c = 0; c < 3; c++) {
        for (size_t i = 0; i < pixels; i++)
            s->mean[c] += (double)p[c * pixels + i];
        s->mean[c] /= (double)pixels;
    }
    for (size_t a = 0; a < 3; a++)
        for (size_t b = 0; b <= a; b++) {
            double sum = 0;
            for (size_t i = 0; i < pixels; i++)
                sum += ((double)p[a * pixels + i] - s->mean[a]) *
                       ((double)p[b * pixels + i] - s->mean[b]);
            s->covariance[a][b] = s->covariance[b][a] = sum / (double)pixels;
        }
}

/* One Jacobi rotation that zeroes m[p][q]; v collects the eigenvectors as columns. */
static void rotate(double m[3][3], double v[3][3], size_t p, size_t q)
{
    if (fabs(m[p][q]) < 1e-15)
        return;
    const double theta = (m[q][q] - m[p][p]) / (2 * m[p][q]);
    const double t = copysign(1.0, theta) / (fabs(theta) + sqrt(theta * theta + 1));
    const double c = 1 / sqrt(t * t + 1), s = t * c;
    for (size_t k = 0; k < 3; k++) {
        const double a = m[k][p], b = m[k][q];
        m[k][p] = c * a - s * b;
        m[k][q] = s * a + c * b;
    }
    for (size_t k = 0; k < 3; k++) {
        const double a = m[p][k], b = m[q][k];
        m[p][k] = c * a - s * b;
        m[q][k] = s * a + c * b;
        const double x = v[k][p], y = v[k][q];
        v[k][p] = c * x - s * y;
        v[k][q] = s * x + c * y;
    }
}

/* root = m^exponent for a symmetric positive matrix. */
static void matrix_power(const double from[3][3], double exponent, double root[3][3])
{
    double m[3][3], v[3][3] = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } };
    memcpy(m, from, sizeof(m));
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        rotate(m, v, 0, 1);
        rotate(m, v, 0, 2);
        rotate(m, v, 1, 2);
    }
    for (size_t a = 0; a < 3; a++)
        for (size_t b = 0; b < 3; b++) {
            root[a][b] = 0;
            for (size_t k = 0; k < 3; k++)
                root[a][b] += v[a][k] * v[b][k] * pow(fmax(m[k][k], LEAST_VAR), exponent);
        }
}

void luc_colour_move(float *p, size_t pixels, const struct luc_colour_stats *target)
{
    struct luc_colour_stats own;
    double to[3][3], from[3][3], m[3][3] = { { 0 } };
    luc_colour_measure(p, pixels, &own);
    matrix_power((const double(*)[3])target->covariance, 0.5, to);
    matrix_power((const double(*)[3])own.covariance, -0.5, from);
    for (size_t a = 0; a < 3; a++)
        for (size_t b = 0; b < 3; b++)
            for (size_t k = 0; k < 3; k++)
                m[a][b] += to[a][k] * from[k][b];
    for (size_t i = 0; i < pixels; i++) {
        double x[3];
        for (size_t c = 0; c < 3; c++)
            x[c] = (double)p[c * pixels + i] - own.mean[c];
        for (size_t c = 0; c < 3; c++) {
            const double y = m[c][0] * x[0] + m[c][1] * x[1] + m[c][2] * x[2] + target->mean[c];
            p[c * pixels + i] = fminf(fmaxf((float)y, DARKEST), BRIGHTEST);
        }
    }
}

void luc_colour_keep_luminance(float *p, const float *colours, size_t pixels)
{
    for (size_t i = 0; i < pixels; i++) {
        const float *c = colours + i;
        const float wanted = 0.299f * p[i] + 0.587f * p[pixels + i] + 0.114f * p[2 * pixels + i];
        const float have = 0.299f * c[0] + 0.587f * c[pixels] + 0.114f * c[2 * pixels];
        for (size_t k = 0; k < 3; k++)
            p[k * pixels + i] = c[k * pixels] + wanted - have;
    }
}
