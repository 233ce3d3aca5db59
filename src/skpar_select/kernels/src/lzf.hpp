// LZF, the byte format of h5py's filter of that name: runs of literal bytes, and copies of bytes that
// were decoded before. http://oldhome.schmorp.de/marc/liblzf.html has the format and its author's code.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace skpar {

// Decodes all of `raw` into exactly `size` bytes at `out`. False where the bytes are damaged; then
// nothing was read or written outside of the two.
inline bool decode_lzf(const std::uint8_t* raw, std::size_t raw_size, std::uint8_t* out, std::size_t size) {
    const std::uint8_t* const raw_end = raw + raw_size;
    std::size_t filled = 0;
    while (raw < raw_end) {
        const std::size_t control = *raw++;
        if (control < 32) {
            const std::size_t length = control + 1;
            if (length > static_cast<std::size_t>(raw_end - raw) || length > size - filled) return false;
            std::memcpy(out + filled, raw, length);
            raw += length;
            filled += length;
            continue;
        }
        std::size_t length = (control >> 5) + 2;
        if (length == 9) {
            if (raw == raw_end) return false;
            length += *raw++;
        }
        if (raw == raw_end) return false;
        const std::size_t distance = ((control & 31) << 8 | *raw++) + 1;
        if (distance > filled || length > size - filled) return false;
        const std::uint8_t* from = out + filled - distance;
        std::uint8_t* to = out + filled;
        filled += length;
        // What is copied may overlap what it is copied from: then it repeats.
        if (distance >= length) {
            std::memcpy(to, from, length);
        } else {
            while (length--) *to++ = *from++;
        }
    }
    return filled == size;
}

}  // namespace skpar
