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

// The rows of one pass, done by two threads: the one that calls, and a helper.

#ifdef __linux__
#define _GNU_SOURCE  // which processor this is, and where another thread may run
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernels.h"

// Pixels from which waking the helper costs less than what it does: seen between 77 000 and 173 000.
#define WORTH (1 << 17)
// Pieces of a pass: whoever is late, or interrupted, does fewer of them.
#define PIECES 16
// Looks at whether the helper is done with its last piece, before this thread sleeps.
#define LOOKS 1000
#define STACK (256 << 10)

#if defined(__x86_64__) || defined(__i386__)
#define PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define PAUSE() __asm__ __volatile__("yield")
#else
#define PAUSE() (void)0
#endif

struct job {
  rows_work work;
  const void *what;
  int32_t next, rows, step;
  int status;
  atomic_int helped;  // 1 while the helper does a piece
};

static pthread_mutex_t taken = PTHREAD_MUTEX_INITIALIZER;  // held by whose job it is
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;   // of all that follows
static pthread_cond_t begun = PTHREAD_COND_INITIALIZER, done = PTHREAD_COND_INITIALIZER;
static struct job *current;
static pid_t helper;  // 0 until it runs
static int asked_for;

// Do the next piece, and return whether there was one. The lock is held before and after.
static int do_piece(struct job *job, int helps) {
  const int32_t begin = job->next;
  if (begin >= job->rows) return 0;
  const int32_t end = job->rows - begin > job->step ? begin + job->step : job->rows;
  job->next = end;
  if (helps) atomic_store(&job->helped, 1);
  pthread_mutex_unlock(&lock);
  const int status = job->work(job->what, begin, end);
  pthread_mutex_lock(&lock);
  if (status) job->status = status;
  if (helps) {
    atomic_store(&job->helped, 0);
    pthread_cond_signal(&done);
  }
  return 1;
}

static void *help(void *unused) {
  pthread_mutex_lock(&lock);
  helper = (pid_t)syscall(SYS_gettid);
  for (;;) {
    if (!current || !do_piece(current, 1)) pthread_cond_wait(&begun, &lock);
  }
  return unused;
}

// A process that was forked has the state, but not the threads.
static void after_fork(void) {
  pthread_mutex_init(&taken, NULL);
  pthread_mutex_init(&lock, NULL);
  pthread_cond_init(&begun, NULL);
  pthread_cond_init(&done, NULL);
  current = NULL;
  helper = 0, asked_for = 0;
}

static void start_helper(void) {
  static int prepared;
  if (!prepared) prepared = !pthread_atfork(NULL, NULL, after_fork);
  pthread_t thread;
  pthread_attr_t attributes;
  sigset_t all, before;
  if (!prepared || pthread_attr_init(&attributes)) return;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, STACK);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are for the threads that know them
  asked_for = !pthread_create(&thread, &attributes, help, NULL);
  if (asked_for) pthread_setname_np(thread, "depth-rows");
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
}

// Let the helper run wherever this thread may, but not where this thread runs now, and return
// whether there is such a processor. A thread that is woken is often put beside the one that woke it
// (nearly always in virtual machines, to whose scheduler processors that sleep look taken), and would
// wait there until all is done.
static int send_elsewhere(void) {
  cpu_set_t processors;
  const int here = sched_getcpu();
  if (here < 0 || sched_getaffinity(0, sizeof processors, &processors)) return 0;
  CPU_CLR(here, &processors);
  return CPU_COUNT(&processors) && !sched_setaffinity(helper, sizeof processors, &processors);
}

int share_rows(rows_work work, const void *what, int32_t rows, int32_t width) {
  if ((int64_t)rows * width < WORTH || pthread_mutex_trylock(&taken)) return work(what, 0, rows);
  struct job job = {work, what, 0, rows, (rows + PIECES - 1) / PIECES, 0, 0};
  pthread_mutex_lock(&lock);
  if (!asked_for) start_helper();
  if (helper && send_elsewhere()) {
    current = &job;
    pthread_cond_signal(&begun);
  } else {
    job.step = rows;
  }
  while (do_piece(&job, 0)) continue;
  if (atomic_load(&job.helped)) {
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < LOOKS && atomic_load(&job.helped); i++) PAUSE();
    pthread_mutex_lock(&lock);
    while (atomic_load(&job.helped)) pthread_cond_wait(&done, &lock);
  }
  current = NULL;
  pthread_mutex_unlock(&lock);
  pthread_mutex_unlock(&taken);
  return job.status;
}
#else
#include "kernels.h"

int share_rows(rows_work work, const void *what, int32_t rows, int32_t width) {
  (void)width;
  return work(what, 0, rows);
}
#endif
