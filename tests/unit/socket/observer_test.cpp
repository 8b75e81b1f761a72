#include "stack/socket/observer.hpp"

#include <gtest/gtest.h>
#include <sluice/error.hpp>

#include <atomic>
#include <thread>

#include "tests/unit/worker/stack_pair.hpp"

namespace sluice::socket {
namespace {

class ObserverTest : public testing::Test, protected worker::StackPair {
 protected:
  void make(std::uint16_t workers, Duration patience) {
    options.workers = workers;
    make_stacks();
    runners.emplace(a->group());
    observer.emplace(a->group(), *runners, patience);
  }
  std::uint64_t turns() {
    for (const CounterStatus& counter : observer->counters())
      if (counter.name == "worker.turns") return counter.value;
    ADD_FAILURE() << "no such counter";
    return 0;
  }

  std::optional<LoopRunners> runners;
  std::optional<Observer> observer;
};

TEST_F(ObserverTest, AnAnswerThatCameTooLateIsNotTakenForTheNext) {
  make(1, std::chrono::milliseconds(20));
  std::atomic<bool> busy{false}, enough{false};
  std::thread loop([&] {
    runners->enter(0);
    busy.store(true);
    while (!enough.load()) std::this_thread::yield();  // and makes no turn
    a->worker().poll_once();
    runners->leave(0);
  });
  while (!busy.load()) std::this_thread::yield();
  EXPECT_THROW(observer->counters(), Error);
  enough.store(true);
  loop.join();
  EXPECT_TRUE(observer->associations({}, 10).empty());
  for (int i = 0; i < 3; ++i) {
    const std::uint64_t before = a->counter("worker.turns");
    EXPECT_GT(turns(), before);
  }
}

// Each would wait for the other's loop while that waits for its turn to ask.
TEST_F(ObserverTest, ThreadsThatRunLoopsMayAskAtTheSameTime) {
  make(2, std::chrono::seconds(10));
  std::atomic<int> ready{0}, done{0};
  const auto run_and_ask = [&](std::uint16_t index) {
    runners->enter(index);
    ++ready;
    while (ready.load() < 2) std::this_thread::yield();
    for (int i = 0; i < 200; ++i) EXPECT_NO_THROW(observer->counters());
    ++done;
    while (done.load() < 2) a->group().worker(index).poll_once();
    runners->leave(index);
  };
  std::thread other(run_and_ask, std::uint16_t{1});
  run_and_ask(0);
  other.join();
}

}  // namespace
}  // namespace sluice::socket
