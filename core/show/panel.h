/* panel.h -- small pictures with words under them, side by side: reports and contact sheets. */
#ifndef LUC_SHOW_PANEL_H
#define LUC_SHOW_PANEL_H

#include "core/run/method.h"

#define LUC_PANEL_LINES 4 /* of words under a picture, at most */

/* A sheet of tiles: each a picture of one size over lines of text. */
struct luc_panel {
    double photo_width, photo_height; /* of the upload */
    struct luc_image small;           /* upload 0, as large as a tile's picture */
    struct luc_image sheet; /* owned; take it by copying the struct and zeroing this one */
    size_t columns, tile_width, tile_height, n_lines;
};

/* Room for n tiles in `columns`, white; pictures are `side` pixels on their longer side, with
 * `n_lines` lines of text under each. LUC_TOO_LARGE, LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_panel_open(struct luc_run *run, size_t n, size_t columns,
                                            size_t side, size_t n_lines, struct luc_panel *panel,
                                            struct luc_error *err);
void luc_panel_done(struct luc_panel *panel); /* fine on a zeroed one */

/* Tile i: the upload itself (map NULL), or the map over it. LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_panel_map(struct luc_panel *panel, size_t i,
                                           const struct luc_item *map, struct luc_error *err);

/* Tile i: curves over 0..1, from `low` (at the bottom) to `high`, in their colours. */
struct luc_curve {
    const double *values; /* n of them, at x0, x0 + dx, ... of 0..1 */
    size_t n;
    double x0, dx;
    uint8_t rgb[3];
};
void luc_panel_chart(struct luc_panel *panel, size_t i, const struct luc_curve *curves,
                     size_t n_curves, double low, double high);

/* Line `line` under tile i, cut where the tile ends. */
void luc_panel_text(struct luc_panel *panel, size_t i, size_t line, const uint8_t rgb[3],
                    const char *text);

#endif
