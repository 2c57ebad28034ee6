// Copyright 2026 the depth_anything_ros authors
//
// Licensed under the Apache License, Version 2.0 (the "License");
// you may not use this file except in compliance with the License.
// You may obtain a copy of the License at
//
//     http://www.apache.org/licenses/LICENSE-2.0
//
// Unless required by applicable law or agreed to in writing, software
// distributed under the License is distributed on an "AS IS" BASIS,
// WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
// See the License for the specific language governing permissions and
// limitations under the License.

// Finishing: depth in metres at the size of the image, and its cloud.

#include "kernels.h"

// What stands for "no measurement" between two steps: no ratio fits to it, not even its own.
#define INVALID -1.0f

// How depth is sampled on one axis: the pixel below, the one after it (the next one; a repeated one
// after the last), and its weight.
struct depth_axis {
  int32_t count;
  const int32_t *low, *high;
  const float *weight;
};

struct law {
  float factor, minimum, maximum, sky_threshold, edge_ratio;
};

// What one look at eight targets reads of a row, beyond which there may be as many.
#define WINDOW 9

// Eight numbers at once, any of them chosen: one instruction with AVX2, many without.
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__)
#define CAN_PERMUTE
typedef float window __attribute__((vector_size(32)));
typedef int32_t places __attribute__((vector_size(32)));
INLINE int permutes(void) { return __builtin_cpu_supports("avx2"); }
#else
INLINE int permutes(void) { return 0; }
#endif

// One row of the network's depth at the target's columns: nearest and farthest of both neighbours,
// their mean, and the nearest pixel.
struct sampled {
  float *near, *far, *line, *pixel;
};

INLINE void validate(
    const float *restrict depth, const float *restrict sky, const struct law *law, int32_t count,
    float *restrict valid) {
  const float factor = law->factor, minimum = law->minimum, maximum = law->maximum;
  if (sky) {
    const float threshold = law->sky_threshold;
    for (int32_t i = 0; i < count; i++) {
      const float metres = depth[i] * factor;
      const int keep = (metres >= minimum) & (metres <= maximum) & !(sky[i] >= threshold);
      valid[i] = keep ? metres : INVALID;
    }
  } else {
    for (int32_t i = 0; i < count; i++) {
      const float metres = depth[i] * factor;
      const int keep = (metres >= minimum) & (metres <= maximum);
      valid[i] = keep ? metres : INVALID;
    }
  }
}

#ifdef CAN_PERMUTE
#define BELOW(pairs, i) (pairs)[i]
#define AFTER(pairs, i) (pairs)[count + (i)]

// Read the pixels below and after each target. Where there are no fewer targets than pixels
// (`near_by`), eight targets in a row look into nine pixels.
INLINE void gather_columns(
    const float *restrict valid, const struct depth_axis *x, int near_by, float *restrict pairs) {
  const int32_t count = x->count, *restrict low = x->low;
  int32_t i = 0;
  for (; near_by && i + 8 <= count; i += 8) {
    places which;
    window first, second;
    memcpy(&which, low + i, sizeof which);
    memcpy(&first, valid + low[i], sizeof first);
    memcpy(&second, valid + low[i] + 1, sizeof second);
    which -= low[i];
    first = __builtin_shuffle(first, which), second = __builtin_shuffle(second, which);
    memcpy(&BELOW(pairs, i), &first, sizeof first);
    memcpy(&AFTER(pairs, i), &second, sizeof second);
  }
  for (; i < count; i++) BELOW(pairs, i) = valid[low[i]], AFTER(pairs, i) = valid[low[i] + 1];
}
#else
#define BELOW(pairs, i) (pairs)[2 * (i)]
#define AFTER(pairs, i) (pairs)[2 * (i) + 1]

INLINE void gather_columns(
    const float *restrict valid, const struct depth_axis *x, int near_by, float *restrict pairs) {
  (void)near_by;
  for (int32_t i = 0; i < x->count; i++) {
    memcpy(pairs + 2 * i, valid + x->low[i], 2 * sizeof(float));
  }
}
#endif

INLINE void sample_columns(
    const struct depth_axis *x, const float *restrict pairs, const struct sampled *out) {
  const int32_t count = x->count;
  const float *restrict weight = x->weight;
  float *restrict near = out->near, *restrict far = out->far;
  float *restrict line = out->line, *restrict pixel = out->pixel;
  for (int32_t i = 0; i < count; i++) {
    const float a = BELOW(pairs, i), b = AFTER(pairs, i);
    near[i] = a < b ? a : b;
    far[i] = a > b ? a : b;
    line[i] = a + (b - a) * weight[i];
    pixel[i] = weight[i] < 0.5f ? a : b;
  }
}

// Linear on a surface, the nearest pixel at edges and where a pixel is invalid.
INLINE void sample_rows(
    const struct sampled *upper, const struct sampled *lower, float weight, float edge_ratio,
    int32_t count, float *restrict depth) {
  const float *restrict near_above = upper->near, *restrict near_below = lower->near;
  const float *restrict far_above = upper->far, *restrict far_below = lower->far;
  const float *restrict top = upper->line, *restrict bottom = lower->line;
  const float *restrict pixel = weight < 0.5f ? upper->pixel : lower->pixel;
  for (int32_t i = 0; i < count; i++) {
    const float near = near_above[i] < near_below[i] ? near_above[i] : near_below[i];
    const float far = far_above[i] > far_below[i] ? far_above[i] : far_below[i];
    const float linear = top[i] + (bottom[i] - top[i]) * weight;
    const float nearest = pixel[i] > 0.0f ? pixel[i] : NAN;
    depth[i] = far <= near * edge_ratio ? linear : nearest;
  }
}

// Points x, y, z and 0x00RRGGBB of one row.
INLINE void write_points(
    const float *restrict depth, const uint8_t *restrict rgb, const float *restrict x, float y,
    int32_t count, float *restrict points) {
  int32_t i = 0;
  // Four points at a time; their colours come with those of the next, so the last have none.
  for (; i + 6 <= count; i += 4) {
    floats z, rays;
    expect(points + 4 * (size_t)i);
    memcpy(&z, depth + i, sizeof z);
    memcpy(&rays, x + i, sizeof rays);
    four_points((words)(z * rays), (words)(z * y), (words)z, four_colours(rgb + 3 * (size_t)i),
                points + 4 * (size_t)i);
  }
  for (; i < count; i++) {
    const uint32_t colour = one_colour(rgb + 3 * (size_t)i);
    float *point = points + 4 * (size_t)i;
    point[0] = depth[i] * x[i], point[1] = depth[i] * y, point[2] = depth[i];
    memcpy(point + 3, &colour, sizeof colour);
  }
}

struct cloud {
  const float *depth;
  const uint8_t *rgb;
  int64_t stride;
  const float *rays_x, *rays_y;
  int32_t width;
  float *points;
};

INLINE void cloud_row(const struct cloud *c, int32_t j) {
  const size_t first = (size_t)j * c->width;
  write_points(
      c->depth + first, c->rgb + j * c->stride, c->rays_x, c->rays_y[j], c->width,
      c->points + 4 * first);
}

EACH_PROCESSOR static int cloud_rows(const void *what, int32_t begin, int32_t end) {
  for (int32_t j = begin; j < end; j++) cloud_row(what, j);
  return 0;
}

// Write an organised cloud (H, W, 4) of depth (H, W) and colours, rows of these `stride` bytes
// apart, with the ray tables of columns and rows.
void frame_cloud(
    const float *depth, const uint8_t *rgb, int64_t stride, const float *rays_x,
    const float *rays_y, int32_t width, int32_t height, float *cloud) {
  const struct cloud all = {depth, rgb, stride, rays_x, rays_y, width, cloud};
  share_rows(cloud_rows, &all, height, width);
}

struct finishing {
  const float *network, *sky;
  int32_t width;
  const struct law *law;
  const struct depth_axis *x, *y;
  struct cloud cloud;
  float *depth;
};

EACH_PROCESSOR static int finish_rows(const void *what, int32_t begin, int32_t end) {
  const struct finishing f = *(const struct finishing *)what;
  const struct depth_axis *x = f.x, *y = f.y;
  const int32_t width = f.width;
  const size_t count = x->count, room = whole_lines(count * sizeof(float)) / sizeof(float);
  float *memory = aligned_alloc(
      LINE, sizeof(float) * 10 * room + whole_lines((width + WINDOW) * sizeof(float)));
  if (!memory) return -1;
  struct sampled rows[2];
  float *place = memory;
  for (int k = 0; k < 2; k++, place += 4 * room) {
    rows[k] = (struct sampled){place, place + room, place + 2 * room, place + 3 * room};
  }
  float *pairs = place, *valid = place + 2 * room;
  for (int k = 0; k < WINDOW; k++) valid[width + k] = INVALID;
  const int near_by = permutes() && width <= x->count;
  int32_t held[2] = {-1, -1};
  for (int32_t j = begin; j < end; j++) {
    const int32_t wanted[2] = {y->low[j], y->high[j]};
    if (held[1] == wanted[0]) {
      const struct sampled row = rows[0];
      rows[0] = rows[1], rows[1] = row;
      held[1] = held[0], held[0] = wanted[0];
    }
    for (int k = 0; k < 2; k++) {
      if (held[k] == wanted[k]) continue;
      const size_t first = (size_t)wanted[k] * width;
      validate(f.network + first, f.sky ? f.sky + first : NULL, f.law, width, valid);
      valid[width] = valid[width - 1];
      gather_columns(valid, x, near_by, pairs);
      sample_columns(x, pairs, &rows[k]);
      held[k] = wanted[k];
    }
    float *row = f.depth + j * count;
    expect_row(row, count * sizeof(float));
    sample_rows(&rows[0], &rows[1], y->weight[j], f.law->edge_ratio, x->count, row);
    if (f.cloud.points) cloud_row(&f.cloud, j);
  }
  free(memory);
  return 0;
}

// Write the network's depth (h, w), and NULL or sky of the same size, as depth (H, W) in metres,
// NaN where invalid, and, unless `cloud` is NULL, its cloud as frame_cloud does. Returns 0, or -1
// where there is no memory.
int frame_finish(
    const float *network, const float *sky, int32_t width, const struct law *law,
    const struct depth_axis *x, const struct depth_axis *y, const uint8_t *rgb, int64_t stride,
    const float *rays_x, const float *rays_y, float *depth, float *cloud) {
  const struct finishing all = {
      network, sky, width, law, x, y,
      {depth, rgb, stride, rays_x, rays_y, x->count, cloud}, depth};
  return share_rows(finish_rows, &all, y->count, x->count);
}
