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

// The frame path's passes over whole images, for the CPU: engine/native.py calls them by ctypes.
//
// Plain C for any little-endian processor; the loops are written so that the compiler vectorises
// them. Every size, type and stride was checked by the caller. Arithmetic is that of the numpy
// reference, operation by operation: no contraction to multiply-add (see native/options).

#include "kernels.h"

// Rows between two steps begin at a line of the cache.
#define LINE 64
INLINE size_t whole_lines(size_t size) { return (size + LINE - 1) / LINE * LINE; }

// What stands for "no measurement" between two steps: no ratio fits to it, not even its own.
#define INVALID -1.0f

// How the pixels of one axis are sampled: the pixel below, the one after it, and their weights.
// Of columns the one after is read with the one below, also where its weight is 0; `high` is for rows.
struct bytes_axis {
  int32_t count;
  const int32_t *low, *high;
  const int16_t *low_weight, *high_weight;
};

// The same for depth: the pixel after is the next one (a repeated one after the last).
struct depth_axis {
  int32_t count;
  const int32_t *low, *high;
  const float *weight;
};

struct law {
  float factor, minimum, maximum, sky_threshold, edge_ratio;
};

// Changes whenever a signature or a struct does.
EXPORT int frame_kernels_version(void) { return 3; }

// ---- Preparing: linear resize of RGB bytes, then normalising ------------------------------------

// A pixel is read with the next one, eight bytes at a time.
#define BEYOND 5

// Where a target pixel's neighbours begin in the row, and both weights of them: low, then high.
struct mix {
  int32_t place;
  int16_t weights[2];
};

// A pixel and the next one, mixed: three numbers and one that nobody wants.
INLINE numbers mix_pixel(const uint8_t *row, const struct mix *mix) {
  uint64_t both;
  memcpy(&both, row + mix->place, sizeof both);
  const bytes near = (bytes)(halves){both, both};
#ifdef __SSE2__
  const words pairs = (words)PICK(
      bytes, near, near, 0, 0, 3, 3, 1, 1, 4, 4, 2, 2, 5, 5, 0, 0, 0, 0) & 0x00ff00ff;
  uint32_t weights;
  memcpy(&weights, mix->weights, sizeof weights);
  const words each = {weights, weights, weights, weights};
  return __builtin_ia32_pmaddwd128((shorts)pairs, (shorts)each) >> 4;
#else
  const words this = (words)PICK(
      bytes, near, near, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 0, 0, 0, 0) & 0xff;
  const words next = (words)PICK(
      bytes, near, near, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0, 0, 0, 0) & 0xff;
  return ((numbers)this * mix->weights[0] + (numbers)next * mix->weights[1]) >> 4;
#endif
}

// The numbers of two pixels, which fit into 16 bits, one after the other.
INLINE shorts six_of(numbers one, numbers other) {
#ifdef __SSE2__
  const shorts two = (shorts)__builtin_ia32_packssdw128(one, other);
  return PICK(shorts, two, two, 0, 1, 2, 4, 5, 6, 0, 0);
#else
  return PICK(shorts, (shorts)one, (shorts)other, 0, 2, 4, 8, 10, 12, 0, 0);
#endif
}

// Mix two pixels of a row, neighbours, for every target pixel. Up to five bytes after the row are
// read, and up to two numbers after the targets' written.
INLINE void mix_columns(
    const uint8_t *restrict row, const struct mix *restrict mix, int32_t count,
    int16_t *restrict mixed) {
  int32_t i = 0;
  for (; i + 2 <= count; i += 2) {
    const shorts six = six_of(mix_pixel(row, mix + i), mix_pixel(row, mix + i + 1));
    memcpy(mixed + 3 * i, &six, sizeof six);
  }
  for (; i < count; i++) {
    const uint8_t *restrict pixel = row + mix[i].place;
    const int16_t low = mix[i].weights[0], high = mix[i].weights[1];
    for (int k = 0; k < 3; k++) {
      mixed[3 * i + k] = (int16_t)((pixel[k] * low + pixel[3 + k] * high) >> 4);
    }
  }
}

INLINE void mix_rows(
    const int16_t *restrict upper, const int16_t *restrict lower, int16_t upper_weight,
    int16_t lower_weight, int32_t count, const float *restrict scale, const float *restrict offset,
    uint8_t *restrict pixels, float *restrict values) {
  for (int32_t i = 0; i < count; i++) {
    const int16_t above = (int16_t)((upper[i] * upper_weight) >> 16);
    const int16_t below = (int16_t)((lower[i] * lower_weight) >> 16);
    pixels[i] = (uint8_t)((above + below + 2) >> 2);
  }
  for (int32_t i = 0; i < count; i++) {
    values[i] = (float)pixels[i] * scale[i] + offset[i];
  }
}

// Resize (h, w, 3) bytes, rows `stride` bytes apart, as OpenCV's INTER_LINEAR does it (weights of
// 11 bits), into `pixels` and, times `scale` plus `offset` (3 * x->count each), into `values`.
// Returns 0, or -1 where there is no memory.
EXPORT EACH_PROCESSOR int frame_prepare(
    const uint8_t *rgb, int32_t width, int32_t height, int64_t stride, const struct bytes_axis *x,
    const struct bytes_axis *y, const float *scale, const float *offset, uint8_t *pixels,
    float *values) {
  const size_t count = 3 * (size_t)x->count, row_bytes = 3 * (size_t)width;
  const size_t room = whole_lines((count + 2) * sizeof(int16_t)) / sizeof(int16_t);
  int16_t *memory = aligned_alloc(
      LINE, 2 * room * sizeof(int16_t) + whole_lines(x->count * sizeof(struct mix)) +
                whole_lines(row_bytes + BEYOND));
  if (!memory) return -1;
  int16_t *rows[2] = {memory, memory + room};
  struct mix *mix = (struct mix *)(memory + 2 * room);
  for (int32_t i = 0; i < x->count; i++) {
    mix[i] = (struct mix){3 * x->low[i], {x->low_weight[3 * i], x->high_weight[3 * i]}};
  }
  uint8_t *copy = (uint8_t *)mix + whole_lines(x->count * sizeof(struct mix));
  memset(copy + row_bytes, 0, BEYOND);
  int32_t held[2] = {-1, -1};
  for (int32_t j = 0; j < y->count; j++) {
    const int32_t wanted[2] = {y->low[j], y->high[j]};
    if (held[1] == wanted[0]) {
      int16_t *row = rows[0];
      rows[0] = rows[1], rows[1] = row;
      held[1] = held[0], held[0] = wanted[0];
    }
    for (int k = 0; k < 2; k++) {
      if (held[k] == wanted[k]) continue;
      const uint8_t *row = rgb + wanted[k] * stride;
      // What comes after the last row may be nobody's.
      if (wanted[k] == height - 1 || row_bytes < BEYOND) row = memcpy(copy, row, row_bytes);
      mix_columns(row, mix, x->count, rows[k]);
      held[k] = wanted[k];
    }
    mix_rows(rows[0], rows[1], y->low_weight[j], y->high_weight[j], (int32_t)count, scale, offset,
             pixels + j * count, values + j * count);
  }
  free(memory);
  return 0;
}

// ---- Finishing: depth in metres at the size of the image, and its cloud -------------------------

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

// Write an organised cloud (H, W, 4) of depth (H, W) and colours, rows of these `stride` bytes
// apart, with the ray tables of columns and rows.
EXPORT EACH_PROCESSOR void frame_cloud(
    const float *depth, const uint8_t *rgb, int64_t stride, const float *rays_x,
    const float *rays_y, int32_t width, int32_t height, float *cloud) {
  for (int32_t j = 0; j < height; j++) {
    const size_t first = (size_t)j * width;
    write_points(depth + first, rgb + j * stride, rays_x, rays_y[j], width, cloud + 4 * first);
  }
}

// Write the network's depth (h, w), and NULL or sky of the same size, as depth (H, W) in metres,
// NaN where invalid, and, unless `cloud` is NULL, its cloud as frame_cloud does. Returns 0, or -1
// where there is no memory.
EXPORT EACH_PROCESSOR int frame_finish(
    const float *network, const float *sky, int32_t width, const struct law *law,
    const struct depth_axis *x, const struct depth_axis *y, const uint8_t *rgb, int64_t stride,
    const float *rays_x, const float *rays_y, float *depth, float *cloud) {
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
  for (int32_t j = 0; j < y->count; j++) {
    const int32_t wanted[2] = {y->low[j], y->high[j]};
    if (held[1] == wanted[0]) {
      const struct sampled row = rows[0];
      rows[0] = rows[1], rows[1] = row;
      held[1] = held[0], held[0] = wanted[0];
    }
    for (int k = 0; k < 2; k++) {
      if (held[k] == wanted[k]) continue;
      const size_t first = (size_t)wanted[k] * width;
      validate(network + first, sky ? sky + first : NULL, law, width, valid);
      valid[width] = valid[width - 1];
      gather_columns(valid, x, near_by, pairs);
      sample_columns(x, pairs, &rows[k]);
      held[k] = wanted[k];
    }
    float *row = depth + j * count;
    expect_row(row, count * sizeof(float));
    sample_rows(&rows[0], &rows[1], y->weight[j], law->edge_ratio, x->count, row);
    if (cloud) {
      write_points(row, rgb + j * stride, rays_x, rays_y[j], x->count, cloud + 4 * j * count);
    }
  }
  free(memory);
  return 0;
}
