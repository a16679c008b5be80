"""What the lessons on seeing, sequences, depth and trust should find; as in numbers_learning.py.

"Measured" distances are several times what another instruction set's rounding changed.
"""

NUMBERS: dict[str, dict[str, tuple[float, float]]] = {
    # (n + 2p - f) / s + 1 by hand; 6 · (75 + 1); 28 · 28 · 6 · 75; 3072 · 4704.
    "convolution_arithmetic": {
        "side_at_stride_1": (5, 0), "side_at_stride_2": (3, 0), "side_at_stride_3": (2, 0), "side_with_padding": (7, 0),
        "formula_minus_torch": (0, 0), "maps": (6, 0), "map_side": (28, 0), "parameters": (456, 0), "multiplications": (352_800, 0),
        "if_fully_connected": (14_450_688, 0),
    },
    # By hand: (1 + 0 + 3) - (2 + 2 + 0) = 0; Σ x g of the first 3 x 3 = 1 - 0 + 0 + 2 + 1 - 3 + 0 = 1; small whole numbers are exact.
    "convolution_product": {
        "first_output": (0, 0), "first_of_kernel_gradient": (1, 0), "middle_of_picture_gradient": (3, 0), "output_minus_torch": (0, 0),
        "kernel_gradient_minus_autograd": (0, 0), "picture_gradient_minus_autograd": (0, 0), "both_as_convolutions": (0, 0),
    },
    # The printed kernels (0.1592, 0.0000; 0.0211, 0.0194; at sigma 10 the centre rounds to 0.0212); 1164 / 16 and 1090 / 16.
    "convolution_gaussian": {
        "sigma_of_narrow": (1, 0.003), "narrow_centre": (0.1592, 5e-5), "narrow_corner": (0, 5e-5),
        "sigma_of_wide": (10.35, 0.03), "wide_centre": (0.0212, 5e-5), "wide_corner": (0.0194, 5e-5),
        "sum_of_products": (1164, 0), "right_answer": (72.75, 0), "printed_on_the_slide": (68.125, 0),
    },
    # 3 · 10; kernels whose weights cancel; measured.
    "convolution_edges": {
        "at_the_border": (30, 0), "on_even_ground": (0, 0), "sum_of_sobel": (0, 0), "sum_of_laplace": (0, 0),
        "learnt_minus_sobel": (0, 0.01), "pixels_with_a_strong_edge": (0.0637, 0.002),
    },
    # By hand; of the sixteen places the eight in left columns of their blocks.
    "convolution_pooling": {
        "max_0": (6, 0), "max_1": (4, 0), "max_2": (8, 0), "max_3": (9, 0),
        "mean_0": (3.5, 0), "mean_1": (2.75, 0), "mean_2": (3.5, 0), "mean_3": (7, 0),
        "max_by_hand_minus_autograd": (0, 0), "mean_by_hand_minus_autograd": (0, 0),
        "gradient_handed_on_by_max": (10, 0), "gradient_handed_on_by_mean": (10, 0), "steps_unseen": (0.5, 0),
    },
    # Published fields; sqrt(20 / 3); the sum of ten throws in -1, 0, 1 stays within 5 with probability 0.9698, squared for two axes.
    "convolution_receptive": {
        "vgg16_by_hand": (212, 0), "vgg16": (212, 0), "resnet18": (435, 0), "alexnet": (195, 0), "ten_layers": (21, 0),
        "spread_of_ten": (2.581989, 1e-4), "influence_of_the_middle_11": (0.9405541, 1e-5),
    },
    # 28² · 32 · 25 · 192; 28² · (16 · 192 + 32 · 25 · 16); table 1 of the paper, summed up and traced.
    "convolution_one": {
        "convolution_minus_dense": (0, 1e-6), "millions_directly": (120.4224, 0), "millions_through_a_bottleneck": (12.443648, 0),
        "millions_of_all_modules": (1103.972352, 1e-6), "the_same_traced": (1103.972352, 1e-6),
        "millions_without": (3881.213952, 1e-6), "times_saved": (3.51568, 1e-5),
    },
    # Published parameters; 96 · 256 · 25 and half of it; 9 · 256 / (9 + 256).
    "convolution_groups": {
        "grouped_minus_two_layers": (0, 1e-6), "alexnet_two_groups": (60_965_224, 0), "alexnet_one_group": (62_378_344, 0),
        "layer_2_weights_in_two": (307_200, 0), "layer_2_weights_in_one": (614_400, 0),
        "million_multiplications_in_two": (724.406816, 1e-6), "million_multiplications_in_one": (1135.256096, 1e-6),
        "separable_saves": (8.694340, 1e-6),
    },
    # 14 - 5 + 1; 8 · 6 + 16 · 41 + 16 · 81 + 2 · 17; two thirds of 1585 + 992 beats; measured.
    "signal_beats": {
        "samples_behind_the_first_layer": (10, 0), "parameters": (2034, 0), "beats_learnt_from": (1718, 0),
        "right_later": (0.9965, 0.004), "always_normal_would_be": (0.677532, 1e-6), "ventricular_found": (0.993, 0.011),
        "false_alarms_on_the_other_person": (0, 0.002),
    },
    # Five kernels of 125 weights and a bias; measured.
    "volume_vessels": {
        "maps": (5, 0), "map_side": (10, 0), "parameters": (630, 0), "learnt_from": (743, 10), "tested_on": (1225, 15),
        "right_with_cubes": (0.875, 0.04), "right_with_slices": (0.598, 0.05),
    },
    # Exact; the mean of (t - 1) / 4 over t = 1..12; measured.
    "recurrence_unrolled": {
        "by_hand_minus_module": (0, 1e-6), "gradient_by_hand_minus_autograd": (0, 1e-6), "squared_error": (0.0146, 0.006),
        "squared_error_without_memory": (1.375, 1e-6), "right_within_twelve": (0.994, 0.006), "right_at_thirty": (0.02, 0.04),
    },
    # Exact; 1 / (1 + e^-4) and its 40th power; measured, chance is 0.5.
    "recurrence_gates": {
        "cell_minus_torch": (0, 1e-6), "kept_at_each_moment": (0.982014, 1e-6), "kept_after_40": (0.483842, 1e-5),
        "log10_plain_left_after_20": (-4.138, 0.1), "log10_open_gru_left_after_20": (-0.1459, 0.02),
        "plain_at_10": (1, 0.02), "plain_at_80": (0.5, 0.07), "lstm_at_80": (0.5, 0.07),
        "open_lstm_at_80": (0.96, 0.04), "open_gru_at_80": (0.99, 0.01),
    },
    # Measured; ln 3 for a network that has learnt nothing.
    "depth_residual": {
        "log10_kept_plain": (-19.805, 0.02), "log10_kept_he": (-0.538, 0.01), "log10_kept_residual": (-0.1988, 0.005),
        "loss_plain_4_layers": (0.31, 0.05), "loss_plain_52_layers": (1.0986, 1e-3), "loss_residual_102_layers": (0, 1e-3),
    },
    # 24 + 12 · 12; the published parameters; 150 + 16 · 12; measured.
    "depth_concatenation": {
        "channels_added": (24, 0), "channels_appended": (168, 0), "readable_from_appended": (1, 1e-9),
        "readable_from_added": (0.0194, 0.003), "first_channels_unchanged": (0, 0), "parameters_of_resnet110": (1_727_962, 0),
        "parameters_of_densenet": (769_162, 0), "widest_densenet": (342, 0),
    },
    # Measured.
    "data_augmentation": {
        "as_they_are": (0.866, 0.01), "as_they_are_moved_by_3": (0.334, 0.03), "augmented": (0.9015, 0.01),
        "augmented_moved_by_3": (0.832, 0.015), "augmented_moved_by_6": (0.2945, 0.03), "mirrored": (0.806, 0.015),
    },
    # Measured; guessing is 0.2.
    "data_transfer": {
        "right_on_0_to_4": (0.989, 0.006), "scratch_from_1": (0.556, 0.03), "early_from_1": (0.62, 0.03),
        "scratch_from_5": (0.821, 0.015), "early_from_5": (0.84, 0.015), "late_from_5": (0.6, 0.04), "random_from_5": (0.811, 0.02),
        "scratch_from_20": (0.892, 0.01), "early_from_20": (0.9136, 0.01),
    },
    # 0.36 - 0.25 + 0.2; below zero; measured.
    "oneshot_triplets": {
        "loss_of_the_near": (0.31, 1e-6), "loss_of_the_far": (0, 0), "area_pixels": (0.69108, 1e-4), "area_before": (0.6684, 0.002),
        "area_after": (0.889, 0.03), "threshold": (0.867, 0.12), "named_right": (0.733, 0.15), "strangers_refused": (0.68, 0.2),
    },
    # Unit variance and none left beside the diagonal by construction; measured.
    "input_whitening": {
        "neighbours_before": (0.81383, 1e-4), "neighbours_whitened": (0.001077, 2e-4), "axes_for_95_percent": (82, 0),
        "mean_after_removal": (0, 1e-6), "spread_after_scaling": (1, 1e-3), "off_diagonal_after_pca": (0, 1e-4),
        "largest_over_smallest_variance": (7774.6, 10), "loss_pixels": (2.23495, 1e-3), "loss_scaled": (2.06739, 1e-3),
        "loss_whitened": (1.87703, 1e-3),
    },
    # ln 91; the entropy of 0.91 and nine times 0.01; measured.
    "regular_targets": {
        "best_gap_by_hand": (4.510860, 1e-6), "best_gap_found": (4.510860, 1e-4), "lowest_loss_by_hand": (0.500288, 1e-6),
        "lowest_loss_found": (0.500288, 1e-5), "right_plain": (0.8694, 0.008), "right_smoothed": (0.853, 0.008),
        "right_mixed": (0.8172, 0.012), "sure_plain": (0.9388, 0.005), "sure_smoothed": (0.7114, 0.005),
        "calibration_error_plain": (0.0698, 0.006),
    },
    # Measured; a temperature changes no answer.
    "trust_calibration": {
        "right_on_train": (0.856, 0.012), "right_on_test": (0.3968, 0.008), "temperature": (1.93, 0.03), "answers_changed": (0, 0),
        "error_before": (0.1877, 0.012), "error_after": (0.017, 0.008), "loss_before": (1.962, 0.02), "loss_after": (1.7195, 0.01),
    },
    # Measured.
    "trust_fooling": {
        "right": (0.936, 0.01), "right_after_0.1": (0.717, 0.04), "right_after_random_0.1": (0.934, 0.01),
        "right_after_0.2": (0.26, 0.05), "push_over_random_push": (19.4, 1.5),
    },
    # Measured; the receptive fields by hand: 2 more for each convolution, times 2 and more for each pool.
    "seeing_layers": {
        "least_reached_of_the_possible": (0.745, 0.08), "most_reached_of_the_possible": (0.991, 0.02),
        "pixels_that_conv1_1_sees": (3, 0), "pixels_that_conv2_2_sees": (14, 0), "pixels_that_conv3_3_sees": (40, 0),
        "pixels_that_conv4_3_sees": (92, 0), "pixels_that_conv5_3_sees": (196, 0),
    },
    # p = 1 / (2 · 0.4 · √2π) = 0.4987 and q = 0.0540 at 2; carried: the mean of |x| for a generator near 0; log 4 = 1.386; measured.
    "generate_game": {
        "best_judge_at_2": (0.902309, 1e-5), "best_judge_at_0": (9.31655e-6, 1e-9), "carried_at_the_start": (1.97, 0.06),
        "carried_at_the_end": (0.3, 0.25), "share_above_0": (0.5, 0.15), "cost_at_the_end": (1.383, 0.04),
    },
    # D and 1 - D at D = 0.01; m E[D] and m E[1 - D] by quadrature, whose sum is m = 6.
    "generate_gradients": {
        "slope_minimax": (-0.01, 1e-6), "slope_non_saturating": (-0.99, 1e-6), "slope_at_6_minimax": (0.0124532, 1e-6),
        "slope_at_6_non_saturating": (5.9875468, 1e-6), "left_by_minimax": (0.306263, 1e-4),
        "where_non_saturating_ends": (9.76e-5, 1e-6),
    },
    # s log 2 up to s = 1, then log 2; s; the penalty's balance 1 + 4 / 20, and four times that.
    "generate_wasserstein": {
        "js_at_half": (0.3465736, 1e-6), "js_at_1": (0.6931472, 1e-6), "js_at_3": (0.6931472, 1e-6), "w_at_half": (0.5, 1e-9),
        "w_at_3": (3, 1e-9), "slope_of_the_discriminator": (0, 1e-6), "slope_of_the_critic": (1.2, 0.1),
        "distance_by_the_critic": (4.8, 0.3),
    },
    # log(1 + e^-0.7), and the mean of log(1 + e^-l) over l = 0 ... 0.7; measured.
    "generate_collapse": {
        "cost_at_one_heap": (0.403186, 1e-6), "cost_spread_out": (0.5397255, 1e-6), "heaps_collapsed": (2, 1.5), "heaps_cured": (8, 1),
    },
    # (0.25 + log 4) / 2; the first third of a normal distribution: ndtri(0.375); measured.
    "generate_plane": {
        "cost_of_a_cloud": (0.8181472, 1e-6), "cost_of_the_standard_cloud": (0, 0), "second_of_four_tiles": (-0.3186394, 1e-6),
        "bound": (161.4, 4), "latent": (4.84, 0.5), "neighbours_agree": (0.503, 0.08),
    },
    # By hand: 3 + 1; 3 + 2; 3 + 5 + 6 + 7; 3 + 7 + 7 + 7; none; none.
    "generate_masks": {
        "weights_of_mask_a": (4, 0), "weights_of_mask_b": (5, 0), "seen_by_three": (21, 0), "seen_by_two_stacks": (24, 0),
        "future_seen": (0, 0), "pixels_drawn_otherwise": (0, 0),
    },
    # By hand: (1 + 4) / 32; 18 / 256; 10 · 5 / 32 + 40 · 18 / 256; (2 · 1 + 3 · 2) / 64; shuffled 7 / 32. The end measured.
    "style_costs": {
        "content_cost": (0.15625, 0), "gram_of_style_11": (2, 0), "gram_of_style_12": (1, 0), "gram_of_style_22": (3, 0),
        "gram_of_generated_12": (3, 0), "style_cost": (0.0703125, 1e-12), "style_cost_by_hand": (0.0703125, 0),
        "total_cost": (4.375, 1e-12), "slope_of_the_last_place": (0.125, 1e-12), "slope_minus_autograd": (0, 1e-12),
        "gram_after_shuffling_places": (0, 0), "content_cost_after_shuffling": (0.21875, 0), "cost_at_the_end": (0.320987, 1e-5),
    },
    # Measured, with VGG16 and with random filters.
    "style_evolution": {
        "frames": (24, 0), "style_at_the_start": (1, 1e-5), "style_left": (0.02, 0.015), "content_left": (0.47, 0.3),
        "total_falls": (10.3, 0.5),
    },
    # Measured.
    "enlarge_detail": {
        "bicubic_db": (24.9079, 1e-3), "srcnn_db": (26.739, 0.02), "gain_db": (1.831, 0.02), "filters": (64, 0),
        "silent_on_even_ground": (0.78125, 0.02),
    },
    # 128 · 129 / 2 · 96 · 97 / 2; 12 · 16 places of nine anchors; eight areas and seven unions; the house is 42 · 52 of the 64 · 64
    # around it; windows and positives counted once.
    "detection_windows": {
        "every_box": (38_439_936, 0), "windows": (756, 0), "windows_best_worst": (0.533203, 1e-5), "proposals": (15, 0),
        "proposals_best_worst": (1, 0), "anchors": (1728, 0), "anchors_positive_at_0.5": (14, 0),
        "anchors_best_worst": (0.533203, 1e-5), "after_the_shift": (1, 1e-5),
    },
    # 6 / 26; 4 / 12; 60 / 68; 5 / 15; of 0.9, 0.8, 0.7, 0.6, 0.5 at 0, 1, 5, 2, 6 only 0.9, then 0.9 and 0.7, then all stay.
    "detection_overlap": {
        "iou_by_hand": (6 / 26, 0), "iou_counted": (6 / 26, 0), "iou": (6 / 26, 1e-7), "small_shifted": (1 / 3, 1e-7),
        "large_shifted": (60 / 68, 1e-7), "kept_by_hand_as_by_the_library": (1, 0), "kept_above_0.2": (1, 0),
        "kept_above_0.5": (2, 0), "kept_above_0.9": (5, 0), "iou_of_two_people": (1 / 3, 1e-7),
    },
    # VGG16's published 15.47 billion less the last layer, 2000 times; 47 / 0.32; the rest follows from the shapes.
    "detection_generations": {
        "billions_of_convolutions_by_hand": (15.346630656, 0), "by_hand_minus_traced": (0, 0), "rcnn_billions": (30932.33664, 1e-5),
        "fast_billions": (423.096963072, 1e-6), "faster_billions": (224.627447808, 1e-6), "counted_rcnn_over_fast": (73.1093327, 1e-6),
        "published_rcnn_over_fast": (146.875, 0), "counted_fast_over_faster": (1.8835497, 1e-6),
        "share_of_dense_layers_in_fast": (0.5670934, 1e-6), "share_of_the_proposals_in_faster": (0.0243766, 1e-6),
    },
    # The mean face by its drawing; else measured: other rounding is as another seed (with three: 0.0015 to 0.0018, 0.97 to 0.998).
    "swap_faces": {
        "restoring_error": (0.00035, 0.0002), "swap_error": (0.0018, 0.0008), "mean_face_error": (0.012475, 1e-5),
        "nearer_to_b": (1, 0),
        "agreement_of_tilt": (0.981, 0.03), "agreement_of_look": (0.995, 0.01), "agreement_of_brows": (0.994, 0.012),
        "agreement_of_mouth": (0.996, 0.015),
    },
    # The mean face and chance (0.5) by hand; the rest measured. Two encoders agree on nothing, so what comes of it is as it happens.
    "swap_code": {
        "one_encoder_probe": (0.985, 0.02), "one_encoder_probe_on_b": (0.76, 0.15), "one_encoder_whose": (0.525, 0.1),
        "one_encoder_error": (0.00186, 0.0009), "one_encoder_agreement": (0.99, 0.02), "two_encoders_probe": (0.98, 0.025),
        "two_encoders_probe_on_b": (-2, 2), "two_encoders_whose": (0.61, 0.3), "two_encoders_error": (0.022, 0.01),
        "two_encoders_agreement": (0.17, 0.6), "mean_face_error": (0.012043, 1e-5), "variance_by_decoder": (0.632, 0.03),
        "variance_by_code": (0.341, 0.03),
    },
    # 0.6² / 2 and twice that; 10 log 2 = 3.01 decibels; measured.
    "swap_adversary": {
        "error_of_the_mean_by_hand": (0.18, 1e-9), "error_of_strands_by_hand": (0.36, 1e-9), "error_L2": (0.1808, 0.004),
        "error_L1": (0.1837, 0.006), "error_judged": (0.385, 0.05), "strands_L2": (0.01, 0.02), "strands_L1": (0.01, 0.03),
        "strands_weakly_judged": (0.21, 0.12), "strands_judged": (1.0, 0.2), "decibels_lost": (3.3, 0.5),
    },
}  # fmt: skip
