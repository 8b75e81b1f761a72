#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace sluice::ip {

/// See Layer::fragment_hash().
std::optional<std::uint32_t> fragment_hash(std::span<const std::byte> frame);

}  // namespace sluice::ip
