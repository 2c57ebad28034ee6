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

// What the passes share: how they are compiled, who does their rows, vectors of four numbers, and four
// points at once.

#ifndef DEPTH_ANYTHING_KERNELS_H
#define DEPTH_ANYTHING_KERNELS_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// A second form of each function for processors with wider vectors, chosen when the library is
// loaded. It needs a loader that can choose (glibc).
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__has_attribute)
#if __has_attribute(target_clones)
#define EACH_PROCESSOR __attribute__((target_clones("avx2", "sse4.1", "default")))
#endif
#endif
#ifndef EACH_PROCESSOR
#define EACH_PROCESSOR
#endif

#define INLINE static inline __attribute__((always_inline))

// Does the rows of a pass from `begin` up to `end`; returns 0, or -1 where there is no memory.
typedef int (*rows_work)(const void *what, int32_t begin, int32_t end);

// Do all `rows` of a pass, each `width` pixels wide, with a helper on another processor where that is
// worth it and no other thread has it. Returns 0, or what a piece returned instead.
int share_rows(rows_work work, const void *what, int32_t rows, int32_t width);

// Rows between two steps begin at a line of the cache.
#define LINE 64
INLINE size_t whole_lines(size_t size) { return (size + LINE - 1) / LINE * LINE; }

// Four numbers at once, and a choice among those of two such vectors: whole registers everywhere.
typedef float floats __attribute__((vector_size(16)));
typedef uint32_t words __attribute__((vector_size(16)));
typedef uint64_t halves __attribute__((vector_size(16)));
typedef uint8_t bytes __attribute__((vector_size(16)));
typedef int32_t numbers __attribute__((vector_size(16)));
typedef int16_t shorts __attribute__((vector_size(16)));
#ifdef __clang__
#define PICK(type, a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define PICK(type, a, b, ...) __builtin_shuffle(a, b, (type){__VA_ARGS__})
#endif

// Ask for what is written a little later: the processor reads a line of memory before it writes to it,
// and does not look far enough ahead by itself. The same order of magnitude is right everywhere; past
// the end it does nothing.
#define AHEAD 8192
INLINE void expect(const void *place) {
  __builtin_prefetch((const void *)((uintptr_t)place + AHEAD), 1);
}
INLINE void expect_row(const void *row, size_t size) {
  for (size_t i = 0; i < size; i += 64) expect((const char *)row + i);
}

// Colours of four pixels, 0x00RRGGBB; sixteen bytes are read.
INLINE words four_colours(const uint8_t *rgb) {
  bytes colours;
  memcpy(&colours, rgb, sizeof colours);
  return (words)PICK(
      bytes, colours, colours, 2, 1, 0, 3, 5, 4, 3, 6, 8, 7, 6, 9, 11, 10, 9, 12) & 0xffffff;
}

INLINE uint32_t one_colour(const uint8_t *rgb) {
  return (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];
}

// Four points x, y, z and colour. Words of colour are moved, never computed with as floats: most
// are denormal.
INLINE void four_points(words x, words y, words z, words colour, float *points) {
  const words left = PICK(words, x, y, 0, 4, 1, 5), right = PICK(words, z, colour, 0, 4, 1, 5);
  const words next_left = PICK(words, x, y, 2, 6, 3, 7);
  const words next_right = PICK(words, z, colour, 2, 6, 3, 7);
  const words first = PICK(words, left, right, 0, 1, 4, 5);
  const words second = PICK(words, left, right, 2, 3, 6, 7);
  const words third = PICK(words, next_left, next_right, 0, 1, 4, 5);
  const words fourth = PICK(words, next_left, next_right, 2, 3, 6, 7);
  memcpy(points, &first, sizeof first);
  memcpy(points + 4, &second, sizeof second);
  memcpy(points + 8, &third, sizeof third);
  memcpy(points + 12, &fourth, sizeof fourth);
}

#endif
