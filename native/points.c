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

// Clouds of other forms than one point for every pixel, and scans.

#include "kernels.h"

// ---- Clouds: lists, without colour, of every n-th pixel, in another frame -----------------------

// Pixels whose colours are (`across`, `down`) bytes apart, NULL without colour; the rays of columns
// and rows; NULL or the transform of 3x4 numbers that leads to the points' frame.
struct cloud_source {
  const float *depth;
  int32_t width, height;
  const uint8_t *rgb;
  int64_t across, down;
  const float *rays_x, *rays_y, *placement;
};

INLINE int is_finite(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return (bits & 0x7f800000) != 0x7f800000;
}

INLINE int all_finite(floats values) {
  const words exponents = (words)values & 0x7f800000;
  const halves unlike = (halves)(exponents == 0x7f800000);
  return !(unlike[0] | unlike[1]);
}

// Four points x, y, z.
INLINE void four_plain_points(words x, words y, words z, float *points) {
  const words low = PICK(words, x, y, 0, 4, 1, 5), high = PICK(words, x, y, 2, 6, 3, 7);
  const words first = PICK(words, low, z, 0, 1, 4, 2);
  const words middle = PICK(words, low, z, 3, 5, 3, 5);
  const words second = PICK(words, middle, high, 0, 1, 4, 5);
  const words third = PICK(words, z, high, 2, 6, 7, 3);
  memcpy(points, &first, sizeof first);
  memcpy(points + 4, &second, sizeof second);
  memcpy(points + 8, &third, sizeof third);
}

// The operations are those of the reference, in its order.
#define ROW(m, x, y, z) (x * m[0] + y * m[1] + z * m[2] + m[3])

INLINE int64_t write_cloud(
    const struct cloud_source *from, const int listed, const int coloured, const int moved,
    float *restrict out) {
  const int channels = coloured ? 4 : 3, adjacent = from->across == 3;
  const float *m = from->placement;
  float *place = out;
  for (int32_t j = 0; j < from->height; j++) {
    const float *depth = from->depth + (size_t)j * from->width;
    const uint8_t *rgb = coloured ? from->rgb + j * from->down : NULL;
    const float y = from->rays_y[j];
    int32_t i = 0;
    while (i < from->width) {
      floats z, rays;
      // Colours of four come with those of the next, so the last have none.
      if (i + 6 <= from->width) {
        memcpy(&z, depth + i, sizeof z);
        if (!listed || all_finite(z)) {
          memcpy(&rays, from->rays_x + i, sizeof rays);
          floats px = z * rays, py = z * y, pz = z;
          if (moved) {
            const floats x = px, down = py;
            px = ROW(m, x, down, z), py = ROW((m + 4), x, down, z), pz = ROW((m + 8), x, down, z);
          }
          if (coloured) {
            words colours;
            if (adjacent) {
              colours = four_colours(rgb + 3 * (size_t)i);
            } else {
              for (int k = 0; k < 4; k++) colours[k] = one_colour(rgb + (i + k) * from->across);
            }
            four_points((words)px, (words)py, (words)pz, colours, place);
          } else {
            four_plain_points((words)px, (words)py, (words)pz, place);
          }
          place += 4 * channels, i += 4;
          continue;
        }
      }
      // One by one: the next four, or the last of the row.
      const int32_t end = i + 6 <= from->width ? i + 4 : from->width;
      for (; i < end; i++) {
        if (listed && !is_finite(depth[i])) continue;
        const float x = depth[i] * from->rays_x[i], down = depth[i] * y, ahead = depth[i];
        place[0] = moved ? ROW(m, x, down, ahead) : x;
        place[1] = moved ? ROW((m + 4), x, down, ahead) : down;
        place[2] = moved ? ROW((m + 8), x, down, ahead) : ahead;
        if (coloured) {
          const uint32_t colour = one_colour(rgb + i * from->across);
          memcpy(place + 3, &colour, sizeof colour);
        }
        place += channels;
      }
    }
  }
  return (place - out) / channels;
}

// Return how many of the numbers are finite: the length of the list of their points.
EACH_PROCESSOR int64_t points_count(const float *depth, int64_t count) {
  int64_t found = 0;
  for (int64_t first = 0; first < count; first += 1 << 20) {
    const int64_t end = first + (1 << 20) < count ? first + (1 << 20) : count;
    int32_t part = 0;
    for (int64_t i = first; i < end; i++) part += is_finite(depth[i]);
    found += part;
  }
  return found;
}

// Write the cloud, all pixels or, `listed`, those that have a depth, and return its points.
EACH_PROCESSOR int64_t points_write(
    const struct cloud_source *from, int32_t listed, float *out) {
  if (from->rgb && from->placement) {
    return listed ? write_cloud(from, 1, 1, 1, out) : write_cloud(from, 0, 1, 1, out);
  }
  if (from->rgb) return listed ? write_cloud(from, 1, 1, 0, out) : write_cloud(from, 0, 1, 0, out);
  if (from->placement) {
    return listed ? write_cloud(from, 1, 0, 1, out) : write_cloud(from, 0, 0, 1, out);
  }
  return listed ? write_cloud(from, 1, 0, 0, out) : write_cloud(from, 0, 0, 0, out);
}

// ---- Scans: the nearest point of a height band in every beam ------------------------------------

// Of every pixel its beam, -1 outside, and how far it reaches and rises for a metre of depth.
struct scan_grid {
  int64_t count;
  int32_t beams;
  const int32_t *beam;
  const float *reach, *rise;
};

struct scan_limits {
  float camera_height, lowest, highest, nearest, farthest;
};

// What is known about a beam without a hit; the larger one counts.
enum { NOTHING, BEYOND, CLOSE, HIT };

// Pixels that are judged before their beams are looked up.
#define BLOCK 512

// Write the ranges of all beams from `count` depths; where `free` is not NULL and true the view is
// free. Returns 0, or -1 where there is no memory.
EACH_PROCESSOR int scan_ranges(
    const float *depth, const uint8_t *free_view, const struct scan_grid *grid,
    const struct scan_limits *limits, float *restrict ranges) {
  uint8_t *known = calloc(grid->beams, 1);
  if (!known) return -1;
  for (int32_t i = 0; i < grid->beams; i++) ranges[i] = INFINITY;
  const float bottom = limits->lowest, top = limits->highest;
  const float nearest = limits->nearest, farthest = limits->farthest, lift = limits->camera_height;
  for (int64_t first = 0; first < grid->count; first += BLOCK) {
    const int32_t size = grid->count - first < BLOCK ? (int32_t)(grid->count - first) : BLOCK;
    float seen[BLOCK], distances[BLOCK];
    int32_t says[BLOCK];
    const float *restrict reach = grid->reach + first, *restrict rise = grid->rise + first;
    const int32_t *restrict beam = grid->beam + first;
    for (int32_t i = 0; i < size; i++) {
      seen[i] = free_view && free_view[first + i] ? INFINITY : depth[first + i];
    }
    int32_t any = 0;
    for (int32_t i = 0; i < size; i++) {
      const float here = seen[i], distance = here * reach[i], limit = farthest / reach[i];
      // What lies beyond the limit is judged where its ray crosses the limit.
      const float height = lift + rise[i] * (here < limit ? here : limit);
      const int32_t in_band = (here > 0.0f) & (beam[i] >= 0) & (height >= bottom) & (height <= top);
      const int32_t says_here = distance < nearest ? CLOSE : distance > farthest ? BEYOND : HIT;
      says[i] = in_band ? says_here : NOTHING;
      any |= in_band;
      distances[i] = distance;
    }
    if (!any) continue;
    for (int32_t i = 0; i < size; i++) {
      if (!says[i]) continue;
      if (says[i] == HIT) {
        // As minimum of numpy: one that is no number stays.
        if (!(distances[i] >= ranges[beam[i]]) && ranges[beam[i]] == ranges[beam[i]]) {
          ranges[beam[i]] = distances[i];
        }
      } else if (says[i] > known[beam[i]]) {
        known[beam[i]] = (uint8_t)says[i];
      }
    }
  }
  for (int32_t i = 0; i < grid->beams; i++) {
    if (is_finite(ranges[i])) continue;
    ranges[i] = known[i] == CLOSE ? -INFINITY : known[i] == BEYOND ? INFINITY : NAN;
  }
  free(known);
  return 0;
}
