#include "stack/worker/worker_threads.hpp"

#include <sluice/error.hpp>

#include "tests/unit/worker/stack_pair.hpp"

namespace sluice::worker {
namespace {

class WorkerThreadsTest : public testing::Test, protected StackPair {
 protected:
  WorkerThreadsTest() {
    options.workers = 2;
    make_stacks();
  }
};

TEST_F(WorkerThreadsTest, WhatAThreadThrowsBeforeItsLoopIsThrownToWhoWantedIt) {
  WorkerThreads::Options settings;
  settings.around = [](std::uint16_t worker, const std::function<void()>& loop) {
    if (worker == 1) throw Error("no place for another thread");
    loop();
  };
  EXPECT_THROW(WorkerThreads(a->group(), settings), Error);
}

}  // namespace
}  // namespace sluice::worker
