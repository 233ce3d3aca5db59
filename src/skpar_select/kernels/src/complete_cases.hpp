// A column with gaps, and a target, on the samples where the column is there. The score is to the last bit
// that of these samples alone, so they are counted anew, and what depends on all of them is made anew:
// the scale and the noise of both sides, ties, bands, classes. What the target's order tells is kept.

#pragma once

#include <algorithm>
#include <cstdint>

#include "axis.hpp"
#include "bands.hpp"
#include "buffer.hpp"
#include "classes.hpp"
#include "column.hpp"
#include "simd.hpp"
#include "target.hpp"

namespace skpar::SKPAR_ISA {

// Which samples a column has.
struct Present {
    std::int32_t n = 0;
    Buffer<std::int32_t> sample;   // (n,) in the order of the samples
    Buffer<std::int32_t> place;    // (n_samples,) where a sample is among these, or -1
    Buffer<std::int32_t> missing;  // (n_samples - n,)

    // Moves the values that are there to the front of the column.
    void compact(double* column, std::int32_t n_samples) {
        // what is written beyond the samples that are there is overwritten, or room for eight
        std::int32_t* kept = sample.at_least(n_samples + kPack);
        std::int32_t* places = place.at_least(n_samples);
        std::int32_t* gaps = missing.at_least(n_samples + 1);
        std::int32_t n_gaps = 0, i = 0;
        n = 0;
        const auto take_one = [&] {
            const double value = column[i];
            const bool here = value == value;
            column[n] = value;
            kept[n] = i;
            places[i] = here ? n : -1;
            gaps[n_gaps] = i;
            n += here;
            n_gaps += !here;
            ++i;
        };
        while (i + kPack <= n_samples) {
            const Pack values = Pack::load(column + i);
            if (all_finite(values)) {
                values.store(column + n);
                for (int lane = 0; lane < kPack; ++lane) {
                    kept[n + lane] = i + lane;
                    places[i + lane] = n + lane;
                }
                n += kPack;
                i += kPack;
            } else {
                for (int lane = 0; lane < kPack; ++lane) take_one();
            }
        }
        while (i < n_samples) take_one();
    }
};

// Who deals out has this of a target: where the samples of each tie begin that are there.
inline void start_ties(const Target& target, const Present& here, std::int32_t* next) {
    std::copy(target.tie_size, target.tie_size + target.n_ties, next);
    const std::int32_t n_missing = target.n_samples - here.n;
    for (std::int32_t i = 0; i < n_missing; ++i) --next[target.tie_of[here.missing[i]]];
    for (std::int32_t tie = 0, begin = 0; tie < target.n_ties; ++tie) {
        const std::int32_t size = next[tie];
        next[tie] = begin;
        begin += size;
    }
}

// A continuous target on some samples. Bytes a sample, together 43.5:
class SortedCases : public SortedSamples {
  public:
    // `n_samples` of `here` are those of the target. False where the target is constant on these samples.
    bool take(const Target& target, const Present& here, SortScratch& scratch) {
        n = here.n;
        n_neighbors = target.n_neighbors;
        digamma = target.digamma;
        double* values = values_.at_least(n);
        const std::int32_t size = n;
        const std::int32_t* kept = here.sample.data();
        for (std::int32_t i = 0; i < size; ++i) values[i] = target.raw[kept[i]];
        const Scaling scaling = scaling_of(values, n);
        if (scaling.is_constant()) return false;
        const auto [mean, factor] = scaling;
        const double* noise = target.noise;
        for (std::int32_t i = 0; i < size; ++i) values[i] = (values[i] - mean) * factor + noise[i];
        std::int32_t* samples = order_.at_least(target.n_samples + 1);
        double* sorted = axis_.room_for(target.n_samples);
        if (target.n_ties > 0) deal_out(target, here, values, samples, sorted);
        else filter(target, here, values, samples, sorted);
        sorted = axis_.room_for(n);
        if (mend(samples, sorted)) axis_.index();
        else axis_.sort(values, n, samples, scratch);
        order = samples;
        y = axis_;
        rank_of = nullptr;
        return true;
    }

    // What the search in two dimensions needs besides.
    const SortedSamples& with_bands(bool with_ranks) {
        if (with_ranks) {
            std::int32_t* ranks = rank_of_.at_least(n);
            for (std::int32_t rank = 0, size = n; rank < size; ++rank) ranks[order[rank]] = rank;
            rank_of = ranks;
        }
        bands = cutter_.cut(y.values, n, band_height(n), 0.0);
        tie_share = -1.0;
        return *this;
    }

  private:
    Axis axis_;                      //  19
    Buffer<double> values_;          //   8
    Buffer<std::int32_t> order_;     //   4
    Buffer<std::int32_t> rank_of_;   //   4
    Buffer<std::int32_t> next_;      //   4
    BandCutter cutter_;              // 4.5

    // The order of all samples, without those that are missing.
    static void filter(const Target& target, const Present& here, const double* values, std::int32_t* samples,
                       double* sorted) {
        const std::int32_t *order = target.sorted.order, *place_of = here.place.data();
        std::int32_t rank = 0;
        for (std::int32_t i = 0, n_samples = target.n_samples; i < n_samples; ++i) {
            const std::int32_t place = place_of[order[i]];
            samples[rank] = place;
            sorted[rank] = values[std::max(place, 0)];
            rank += place >= 0;
        }
    }

    // The samples in the order of their noise are dealt out to the ties of the target: noise goes by the
    // place among those that are there.
    void deal_out(const Target& target, const Present& here, const double* values, std::int32_t* samples,
                  double* sorted) {
        std::int32_t* next = next_.at_least(target.n_ties);
        start_ties(target, here, next);
        const std::int32_t *by_noise = target.noise_order, *tie_of = target.tie_of, *kept = here.sample.data();
        for (std::int32_t i = 0, n_samples = target.n_samples, size = n; i < n_samples; ++i) {
            const std::int32_t place = by_noise[i];
            if (place >= size) continue;
            const std::int32_t rank = next[tie_of[kept[place]]]++;
            samples[rank] = place;
            sorted[rank] = values[place];
        }
    }

    // Whether nine values ascend.
    static bool ascends(const double* values) {
        return less_bits(Pack::load(values), Pack::load(values + 1)) == 0xff;
    }

    // Insertion, where noise decides. False where that takes long: a spread that was below the noise no
    // longer is.
    bool mend(std::int32_t* samples, double* sorted) const {
        std::int64_t left = 4 * std::int64_t(n) + 64;
        for (std::int32_t i = 1, size = n; i < size; ++i) {
            while (i + kPack <= size && ascends(sorted + i - 1)) i += kPack;
            if (i == size) break;
            if (sorted[i - 1] < sorted[i]) continue;
            const double value = sorted[i];
            const std::int32_t sample = samples[i];
            std::int32_t j = i;
            const auto behind = [&] {
                return value < sorted[j - 1] || (value == sorted[j - 1] && sample < samples[j - 1]);
            };
            for (; j > 0 && behind(); --j) {
                sorted[j] = sorted[j - 1];
                samples[j] = samples[j - 1];
            }
            sorted[j] = value;
            samples[j] = sample;
            left -= i - j;
            if (left < 0) return false;
        }
        return true;
    }
};

// The same in rank space. Bytes a sample, together 8:
class RankedCases : public RankedSamples {
  public:
    // False where the target is constant on these samples.
    bool take(const Target& target, const Present& here, SortScratch&) {
        n = here.n;
        n_neighbors = target.n_neighbors;
        digamma = target.digamma;
        std::int32_t* ranks = rank_of_.at_least(n);
        rank_of = ranks;
        if (target.n_ties > 0) return deal_out(target, here, ranks);
        const std::int32_t *order = target.sorted.order, *place_of = here.place.data();
        for (std::int32_t i = 0, rank = 0, n_samples = target.n_samples; i < n_samples; ++i) {
            const std::int32_t place = place_of[order[i]];
            if (place >= 0) ranks[place] = rank++;
        }
        return n > 1;
    }

  private:
    Buffer<std::int32_t> rank_of_, next_;

    // The samples in the order of their hash are dealt out to the ties of the target: a hash goes by the
    // place among those that are there.
    bool deal_out(const Target& target, const Present& here, std::int32_t* ranks) {
        std::int32_t* next = next_.at_least(target.n_ties);
        start_ties(target, here, next);
        const std::int32_t *by_hash = target.noise_order, *tie_of = target.tie_of, *kept = here.sample.data();
        for (std::int32_t i = 0, n_samples = target.n_samples, size = n; i < n_samples; ++i) {
            const std::int32_t place = by_hash[i];
            if (place < size) ranks[place] = next[tie_of[kept[place]]]++;
        }
        const std::int32_t tie = tie_of[kept[0]];
        return !std::all_of(kept, kept + n, [=](std::int32_t sample) { return tie_of[sample] == tie; });
    }
};

// A discrete target on some samples. Bytes a sample, together 12, and 12 for each class.
class GroupedCases : public GroupedSamples {
  public:
    // False where the target is constant on these samples.
    bool take(const Target& target, const Present& here, SortScratch&) {
        std::int32_t* n_missing = next_.at_least(target.grouped.n_classes);
        std::fill(n_missing, n_missing + target.grouped.n_classes, 0);
        for (std::int32_t i = 0; i < target.n_samples - here.n; ++i) {
            ++n_missing[target.grouped.class_of_sample[here.missing[i]]];
        }
        if (!number(target, here.n, n_missing)) return false;
        std::int32_t* number_of = number_of_.at_least(target.grouped.n_classes);
        for (std::int32_t c = 0; c < n_classes; ++c) number_of[classes_[c]] = c;
        std::int32_t* of_sample = of_sample_.at_least(n);
        const std::int32_t *of_old = target.grouped.class_of_sample, *kept = here.sample.data();
        for (std::int32_t i = 0, size = n; i < size; ++i) {
            of_sample[i] = number_of[of_old[kept[i]]];
        }
        class_of_sample = of_sample;
        order = order_.at_least(n);
        class_of = class_of_.at_least(n);
        order_by_class(*this, order_.data(), class_of_.data(), next_);
        return true;
    }

    // Number the classes of the samples that are not missing; `n_missing` is how many of each class are.
    // False where but one class is left.
    bool number(const Target& target, std::int32_t n_present, const std::int32_t* n_missing) {
        const GroupedSamples& all = target.grouped;
        n = n_present;
        n_neighbors = all.n_neighbors;
        digamma = all.digamma;
        log = all.log;
        std::int32_t* size = number_of_.at_least(all.n_classes);
        for (std::int32_t c = 0; c < all.n_classes; ++c) {
            size[c] = all.class_start[c + 1] - all.class_start[c] - n_missing[c];
        }
        std::int32_t* classes = classes_.at_least(all.n_classes);
        std::int32_t* start = start_.at_least(all.n_classes + 1);
        n_classes = n_repeated = 0;
        for (std::int32_t c = 0; c < all.n_classes; ++c) {
            if (size[c] < 2) continue;
            start[n_classes] = n_repeated;
            classes[n_classes++] = c;
            n_repeated += size[c];
        }
        n_repeated_classes = n_classes;
        // behind them, by value, those of a single sample: of old, and those that shrank to it
        for (std::int32_t c = 0; c < all.n_classes; ++c) {
            if (size[c] == 1) classes[n_classes++] = c;
        }
        const std::int32_t shrunk_end = first_lone(classes, all.n_repeated_classes);
        std::inplace_merge(classes + n_repeated_classes, classes + shrunk_end, classes + n_classes,
                           [&](std::int32_t a, std::int32_t b) { return target.value_rank[a] < target.value_rank[b]; });
        for (std::int32_t c = n_repeated_classes; c <= n_classes; ++c) {
            start[c] = n_repeated + c - n_repeated_classes;
        }
        class_start = start;
        return n_classes > 1;
    }

    // (n_classes,) the number of each class among those of all samples
    const std::int32_t* classes() const { return classes_.data(); }

  private:
    Buffer<std::int32_t> of_sample_, order_, class_of_;
    Buffer<std::int32_t> number_of_, classes_, start_, next_;

    // Where the classes begin that had one sample of old.
    std::int32_t first_lone(const std::int32_t* classes, std::int32_t n_repeated_of_old) const {
        std::int32_t c = n_repeated_classes;
        while (c < n_classes && classes[c] < n_repeated_of_old) ++c;
        return c;
    }
};

}  // namespace skpar::SKPAR_ISA
