#include <gtest/gtest.h>

#include <memory>

#include "stack/base/bounded_vector.hpp"
#include "stack/base/intrusive_list.hpp"
#include "stack/base/object_pool.hpp"

namespace sluice::base {
namespace {

TEST(BoundedVector, RefusesWhenFullAndKeepsOrderOnErase) {
  BoundedVector<int, 3> v{1, 2, 3};
  EXPECT_TRUE(v.full());
  EXPECT_FALSE(v.push_back(4));
  v.erase(0);
  EXPECT_EQ(v, (BoundedVector<int, 3>{2, 3}));
  EXPECT_TRUE(v.push_back(5));
  EXPECT_TRUE(v.contains(5));
  EXPECT_FALSE(v.contains(1));
  v.pop_back();
  EXPECT_EQ(v.back(), 3);
}

struct Item : ListHook<> {
  explicit Item(int n) : number(n) {}
  int number;
};

TEST(IntrusiveList, LinksInsertsAndUnlinks) {
  IntrusiveList<Item> list;
  Item a(1), b(2), c(3);
  list.push_back(b);
  list.push_front(a);
  list.push_back(c);
  EXPECT_EQ(list.size(), 3u);
  EXPECT_EQ(list.front(), &a);
  EXPECT_EQ(list.next(a), &b);
  EXPECT_EQ(list.next(c), nullptr);
  EXPECT_EQ(list.previous(a), nullptr);
  list.erase(b);
  EXPECT_FALSE(b.linked());
  EXPECT_EQ(list.next(a), &c);
  list.insert_before(b, a);
  EXPECT_EQ(list.front(), &b);
  EXPECT_EQ(list.back(), &c);
  EXPECT_EQ(list.pop_front(), &b);
  EXPECT_EQ(list.pop_front(), &a);
  EXPECT_EQ(list.pop_front(), &c);
  EXPECT_EQ(list.pop_front(), nullptr);
  EXPECT_TRUE(list.empty());
}

TEST(ObjectPool, GivesUpToItsLimitAndReuses) {
  ObjectPool<std::unique_ptr<int>> pool(3, 2);
  auto* const a = pool.make(std::make_unique<int>(1));
  auto* const b = pool.make(std::make_unique<int>(2));
  auto* const c = pool.make();
  ASSERT_NE(c, nullptr);
  EXPECT_EQ(pool.make(), nullptr);
  EXPECT_EQ(**a, 1);
  pool.destroy(b);
  EXPECT_EQ(pool.make(), b);
  EXPECT_EQ(pool.out(), 3u);
  pool.destroy(a);
  pool.destroy(b);
  pool.destroy(c);
}

}  // namespace
}  // namespace sluice::base
