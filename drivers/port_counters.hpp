#pragma once

#include "stack/base/counters.hpp"

namespace sluice::drivers {

// clang-format off
#define SLUICE_QUEUE_COUNTERS(X)                                                                \
  X(rx_packets,        "frames received and handed up")                                         \
  X(rx_bytes,          "bytes of frames received and handed up")                                \
  X(rx_linearised,     "frames that came in several segments and were copied into one")         \
  X(rx_no_buffer,      "frames dropped: no block to copy their segments into")                  \
  X(rx_too_long,       "frames dropped: longer than the largest block, or said to be longer than their own") \
  X(rx_missed,         "frames dropped: the receive queue was full")                            \
  X(tx_packets,        "frames taken for sending")                                              \
  X(tx_bytes,          "bytes of frames taken for sending")                                     \
  X(tx_refused,        "frames given back because the transmit queue was full; no loss")        \
  X(tx_copied,         "frames copied before sending: shared, or from memory the port cannot read") \
  X(tx_no_buffer,      "frames dropped: no block to copy them into")                            \
  X(tx_too_long,       "frames dropped: longer than the MTU allows")                            \
  X(tx_errors,         "frames dropped: the port refused them for what they are")

#define SLUICE_DEVICE_COUNTERS(X)                                                               \
  X(rx_packets,        "frames that the device received")                                       \
  X(rx_bytes,          "bytes that the device received")                                        \
  X(rx_missed,         "frames that the device dropped: its receive queue was full")            \
  X(rx_errors,         "frames that the device received damaged")                               \
  X(rx_no_mbuf,        "frames lost because a receive pool was empty")                          \
  X(tx_packets,        "frames that the device sent")                                           \
  X(tx_bytes,          "bytes that the device sent")                                            \
  X(tx_errors,         "frames that the device failed to send")
// clang-format on

SLUICE_DEFINE_COUNTERS(QueueCounters, SLUICE_QUEUE_COUNTERS);
SLUICE_DEFINE_COUNTERS(DeviceCounters, SLUICE_DEVICE_COUNTERS);

}  // namespace sluice::drivers
