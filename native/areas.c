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

// Preparing as upstream does: RGB bytes shrunk by areas, then normalised.
//
// The arithmetic is that of OpenCV's INTER_AREA where a ratio is no whole number, operation by
// operation: columns first, then rows, both as float sums in the order of the source, then the
// nearest byte, the even one of two equally near. Weights of 0 change no sum.

#include "kernels.h"

// The pixels of one axis that a target pixel covers: `taps` in a row from `first`, and their
// weights, 0 where it covers fewer.
struct area_axis {
  int32_t count, taps;
  const int32_t *first;
  const float *weights;
};

// Sums of four numbers; the fourth is nobody's and is overwritten by the next pixel's.
INLINE void sum_taps(
    const float *restrict row, const struct area_axis *x, int32_t taps, float *restrict sums) {
  const float *restrict weights = x->weights;
  for (int32_t i = 0; i < x->count; i++, weights += taps) {
    const float *pixel = row + 3 * x->first[i];
    floats sum, next;
    memcpy(&sum, pixel, sizeof sum);
    sum *= weights[0];
    for (int32_t t = 1; t < taps; t++) {
      memcpy(&next, pixel + 3 * t, sizeof next);
      sum += next * weights[t];
    }
    memcpy(sums + 3 * i, &sum, sizeof sum);
  }
}

// Shrink one row of bytes, by way of `row` (floats, `3 * taps + 1` zeros after it).
INLINE void sum_columns(
    const uint8_t *restrict bytes_of_row, int32_t numbers_of_row, const struct area_axis *x,
    float *restrict row, float *restrict sums) {
  for (int32_t i = 0; i < numbers_of_row; i++) row[i] = (float)bytes_of_row[i];
  if (x->taps == 2) sum_taps(row, x, 2, sums);
  else if (x->taps == 3) sum_taps(row, x, 3, sums);
  else sum_taps(row, x, x->taps, sums);
}

INLINE void round_row(const float *restrict sums, int32_t count, uint8_t *restrict pixels) {
  // So large that a float of it has no fraction: adding rounds as the processor does.
  const float whole = 8388608.0f;
  for (int32_t i = 0; i < count; i++) {
    const float rounded = sums[i] + whole;
    uint32_t word;
    memcpy(&word, &rounded, sizeof word);
    pixels[i] = (uint8_t)word;
  }
}

INLINE void turn_colours(uint8_t *restrict pixels, int32_t count) {
  for (int32_t i = 0; i < count; i++, pixels += 3) {
    const uint8_t first = pixels[0];
    pixels[0] = pixels[2], pixels[2] = first;
  }
}

struct areas {
  const uint8_t *image;
  int32_t width;
  int64_t stride;
  const struct area_axis *x, *y;
  int32_t turned;
  const float *table;
  uint8_t *pixels;
  float *values;
};

EACH_PROCESSOR static int shrink_rows(const void *what, int32_t begin, int32_t end) {
  const struct areas a = *(const struct areas *)what;
  const struct area_axis *x = a.x, *y = a.y;
  const size_t count = 3 * (size_t)x->count, across = 3 * (size_t)a.width;
  const size_t beyond = 3 * (size_t)x->taps + 1;
  float *row = malloc(sizeof(float) * (across + beyond + 2 * (count + 1)));
  if (!row) return -1;
  memset(row + across, 0, beyond * sizeof(float));
  float *restrict sums = row + across + beyond, *restrict total = sums + count + 1;
  const float *restrict table = a.table;
  int32_t held = -1;
  for (int32_t j = begin; j < end; j++) {
    const float *weights = y->weights + (size_t)j * y->taps;
    for (int32_t t = 0; t < y->taps && weights[t] > 0.0f; t++) {
      const int32_t wanted = y->first[j] + t;
      if (held != wanted) {
        sum_columns(a.image + wanted * a.stride, (int32_t)across, x, row, sums);
        held = wanted;
      }
      const float weight = weights[t];
      if (t == 0) {
        for (size_t i = 0; i < count; i++) total[i] = sums[i] * weight;
      } else {
        for (size_t i = 0; i < count; i++) total[i] += sums[i] * weight;
      }
    }
    uint8_t *restrict out = a.pixels + j * count;
    round_row(total, (int32_t)count, out);
    if (a.turned) turn_colours(out, x->count);
    if (a.values) {
      float *restrict value = a.values + j * count;
      for (size_t i = 0; i < count; i += 3) {
        value[i] = table[out[i]];
        value[i + 1] = table[256 + out[i + 1]];
        value[i + 2] = table[512 + out[i + 2]];
      }
    }
  }
  free(row);
  return 0;
}

// Shrink three-coloured bytes `width` pixels wide, rows `stride` bytes apart, into `pixels`, the
// colours the other way round where `turned`, and, unless `values` is NULL, what `table` (three
// times 256) has for them into that. Returns 0, or -1 where there is no memory.
int frame_prepare_areas(
    const uint8_t *image, int32_t width, int64_t stride, const struct area_axis *x,
    const struct area_axis *y, int32_t turned, const float *table, uint8_t *pixels,
    float *values) {
  const struct areas all = {image, width, stride, x, y, turned, table, pixels, values};
  return share_rows(shrink_rows, &all, y->count, x->count);
}
