#include "stack/endpoint/tag_codec.hpp"

namespace sluice::endpoint {

TagCodec::TagCodec(const base::SipKey& key) {
  for (std::uint32_t i = 0; i < kRounds; ++i) {
    base::SipHash hash(key);
    const std::uint64_t word = hash.finish(i, 1);
    keys_[i] = {.add = static_cast<std::uint32_t>(word), .multiply = static_cast<std::uint32_t>(word >> 32) | 1};
  }
}

}  // namespace sluice::endpoint
