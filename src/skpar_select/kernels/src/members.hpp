// Members that are compiled for each number of neighbours.

#pragma once

#include <type_traits>
#include <utility>

#include "simd.hpp"

namespace skpar::SKPAR_ISA {

// That for k of 1 .. Most. of(k) gives one, where k is a constant.
template <class Of, int... I>
auto member_for(int k, Of of, std::integer_sequence<int, I...>) {
    const decltype(of(std::integral_constant<int, 1>())) members[] = {of(std::integral_constant<int, I + 1>())...};
    return members[k - 1];
}
template <int Most, class Of>
auto member_for(int k, Of of) {
    return member_for(k, of, std::make_integer_sequence<int, Most>());
}

}  // namespace skpar::SKPAR_ISA
