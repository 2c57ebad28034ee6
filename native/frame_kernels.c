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
//
// Here: preparing by a linear resize of RGB bytes, then normalising.

#include "kernels.h"

// Changes whenever a signature or a struct does.
int frame_kernels_version(void) { return 3; }

// How the pixels of one axis are sampled: the pixel below, the one after it, and their weights.
// Of columns the one after is read with the one below, also where its weight is 0; `high` is for rows.
struct bytes_axis {
  int32_t count;
  const int32_t *low, *high;
  const int16_t *low_weight, *high_weight;
};

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

struct preparing {
  const uint8_t *rgb;
  int32_t width, height;
  int64_t stride;
  const struct bytes_axis *x, *y;
  const float *scale, *offset;
  uint8_t *pixels;
  float *values;
};

EACH_PROCESSOR static int prepare_rows(const void *what, int32_t begin, int32_t end) {
  const struct preparing p = *(const struct preparing *)what;
  const struct bytes_axis *x = p.x, *y = p.y;
  const size_t count = 3 * (size_t)x->count, row_bytes = 3 * (size_t)p.width;
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
  for (int32_t j = begin; j < end; j++) {
    const int32_t wanted[2] = {y->low[j], y->high[j]};
    if (held[1] == wanted[0]) {
      int16_t *row = rows[0];
      rows[0] = rows[1], rows[1] = row;
      held[1] = held[0], held[0] = wanted[0];
    }
    for (int k = 0; k < 2; k++) {
      if (held[k] == wanted[k]) continue;
      const uint8_t *row = p.rgb + wanted[k] * p.stride;
      // What comes after the last row may be nobody's.
      if (wanted[k] == p.height - 1 || row_bytes < BEYOND) row = memcpy(copy, row, row_bytes);
      mix_columns(row, mix, x->count, rows[k]);
      held[k] = wanted[k];
    }
    mix_rows(rows[0], rows[1], y->low_weight[j], y->high_weight[j], (int32_t)count, p.scale,
             p.offset, p.pixels + j * count, p.values + j * count);
  }
  free(memory);
  return 0;
}

// Resize (h, w, 3) bytes, rows `stride` bytes apart, as OpenCV's INTER_LINEAR does it (weights of
// 11 bits), into `pixels` and, times `scale` plus `offset` (3 * x->count each), into `values`.
// Returns 0, or -1 where there is no memory.
int frame_prepare(
    const uint8_t *rgb, int32_t width, int32_t height, int64_t stride, const struct bytes_axis *x,
    const struct bytes_axis *y, const float *scale, const float *offset, uint8_t *pixels,
    float *values) {
  const struct preparing all = {
      rgb, width, height, stride, x, y, scale, offset, pixels, values};
  return share_rows(prepare_rows, &all, y->count, x->count);
}
