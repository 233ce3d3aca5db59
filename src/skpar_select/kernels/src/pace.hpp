// How often a call looks whether it is to end: between columns, and inside a long one.

#pragma once

#include <cstdint>

#include "block.hpp"

namespace skpar::SKPAR_ISA {

class Pace {
  public:
    explicit Pace(const Pause& pause) : pause_(pause) {}

    // After work on so many samples. A look takes up to 20 ns, work on this many 100 us.
    void after(std::int64_t n_samples) {
        done_ += n_samples;
        if (done_ < 4096) return;
        done_ = 0;
        pause_.look(pause_.context);
    }

  private:
    const Pause& pause_;
    std::int64_t done_ = 0;
};

}  // namespace skpar::SKPAR_ISA
