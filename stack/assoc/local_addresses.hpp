#pragma once

#include <array>
#include <cstring>
#include <span>

#include "stack/assoc/handshake.hpp"
#include "stack/base/intrusive_list.hpp"
#include "stack/base/object_pool.hpp"

namespace sluice::assoc {

/// The lists of our own addresses that the associations of one worker have. A stack has few such lists and perhaps a
/// million associations: those with equal lists share one, which then is in the cache whenever a packet comes.
class LocalAddresses {
 public:
  struct List : base::ListHook<> {
    AddressList addresses;
    std::uint32_t users = 1;
  };

  /// For at most `associations`.
  explicit LocalAddresses(std::uint32_t associations) : lists_(associations, 16) {}

  /// The list of these addresses, to be given back; null when there are as many lists as may be.
  List* take(std::span<const IpAddress> addresses) {
    base::IntrusiveList<List>& bucket = bucket_of(addresses);
    for (List* list = bucket.front(); list != nullptr; list = bucket.next(*list)) {
      if (!equal(list->addresses, addresses)) continue;
      ++list->users;
      return list;
    }
    List* const list = lists_.make();
    if (list == nullptr) return nullptr;
    for (const IpAddress& address : addresses) SLUICE_CHECK(list->addresses.push_back(address));
    bucket.push_front(*list);
    return list;
  }
  void give_back(List& list) {
    if (--list.users > 0) return;
    bucket_of({list.addresses.begin(), list.addresses.size()}).erase(list);
    lists_.destroy(&list);
  }
  std::uint32_t lists() const { return lists_.out(); }

 private:
  static constexpr std::size_t kBuckets = 64;

  static bool equal(const AddressList& list, std::span<const IpAddress> addresses) {
    if (list.size() != addresses.size()) return false;
    for (std::size_t i = 0; i < list.size(); ++i)
      if (list[i] != addresses[i]) return false;
    return true;
  }
  /// They are ours alone: nobody outside can choose which share a bucket.
  base::IntrusiveList<List>& bucket_of(std::span<const IpAddress> addresses) {
    std::uint64_t hash = addresses.size();
    for (const IpAddress& address : addresses) {
      std::array<std::uint64_t, 2> words;
      std::memcpy(words.data(), address.bytes().data(), sizeof words);
      hash = ((hash ^ words[0]) * 0x9e3779b97f4a7c15u ^ words[1]) * 0x9e3779b97f4a7c15u;
      hash ^= hash >> 32;
    }
    return buckets_[hash % kBuckets];
  }

  base::ObjectPool<List> lists_;
  std::array<base::IntrusiveList<List>, kBuckets> buckets_;
};

}  // namespace sluice::assoc
