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
  ObserverTest() {
    make_stacks();
    runners.emplace(a->group());
    observer.emplace(a->group(), *runners, std::chrono::milliseconds(20));
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

}  // namespace
}  // namespace sluice::socket
