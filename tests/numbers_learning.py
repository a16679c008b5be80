"""What the lessons on neurons and their training should find: value, largest distance from it, and where the values come from.

"Measured" numbers come from a seeded run on a CPU; the distance leaves room for another processor's rounding.
"""

NUMBERS: dict[str, dict[str, tuple[float, float]]] = {
    # z = 2 - 3 + 0.5, 1 / (1 + e^0.5); ln 2; measured. Two such clouds overlap: the best border errs at Phi(-sqrt 2 / 0.9) = 5.8 %.
    "neuron_single": {
        "output_by_hand": (0.377541, 1e-6), "first_loss": (0.693147, 1e-6), "last_loss": (0.1332, 0.002), "accuracy": (0.96, 0.011),
    },
    # s(1 - s) at 0 and at -4; 1 - tanh² 0; 0.01 · -1; 1/e - 1; h²/6 for h = 1/2 (at the sampled points a little less).
    "neuron_activations": {
        "three_linear_layers_minus_one": (0, 1e-12), "sigmoid_slope_at_0": (0.25, 1e-7), "tanh_slope_at_0": (1, 1e-7),
        "sigmoid_slope_at_minus_4": (0.01766271, 1e-7), "leaky_relu_at_minus_1": (-0.01, 1e-7), "elu_at_minus_1": (-0.6321206, 1e-6),
        "maxout_error": (1 / 24, 0.001),
    },
    # Three of four is what a line can do (Minsky and Papert 1969); ln 2 is the minimum; all by hand; measured.
    "neuron_xor": {
        "best_of_a_million_perceptrons": (0.75, 0), "loss_of_one_neuron": (0.693147, 1e-4), "two_hidden_by_hand": (1, 0),
        "best_loss_of_two_hidden": (0.004, 0.004), "solved_of_10_with_2_hidden": (2, 3), "solved_of_10_with_8_hidden": (10, 0),
    },
    # e², e and e^0.1 over their sum; -ln of the first; first - 1; a - 1 and 2(a - 1) a (1 - a) at a = 1 / (1 + e⁶); counted.
    "loss_softmax": {
        "softmax_1": (0.659001, 1e-6), "softmax_2": (0.242433, 1e-6), "softmax_3": (0.098566, 1e-6), "cross_entropy": (0.417030, 1e-6),
        "slope_by_true_logit": (-0.340999, 1e-6), "softmax_1_of_large_logits": (0.659001, 1e-5),
        "cross_entropy_slope_at_minus_6": (-0.9975274, 1e-6), "squared_error_slope_at_minus_6": (-0.0049208, 1e-6),
        "steps_with_cross_entropy": (34, 0), "steps_with_squared_error": (497, 1),
    },
    # 0.8¹⁰, 0.1¹⁰, 0.9¹⁰, 1.1¹⁰; the outer roots of 4x³ - 6x + 1 (numpy.roots) and the curve there.
    "descent_curve": {
        "after_10_steps_at_0.1": (0.1073742, 1e-6), "after_10_steps_at_0.45": (1e-10, 1e-12),
        "after_10_steps_at_0.95": (0.3486784, 1e-6), "after_10_steps_at_1.05": (2.5937425, 1e-6), "left_valley": (-1.3008396, 1e-6),
        "right_valley": (1.1309011, 1e-4),
        "left_depth": (-3.5139051, 1e-6), "right_depth": (-1.0702299, 1e-6),
    },
    # Central differences of the loss, written out in numpy, step 1e-6 (tests/test_lessons.py does them again).
    "backprop_chain": {
        "loss": (0.4105235, 1e-6), "dL_dw6_by_hand": (0.00130245, 1e-8), "dL_dw6_autograd": (0.00130245, 1e-8),
        "dL_dw12_by_hand": (-0.0241807, 1e-7), "dL_dw12_autograd": (-0.0241807, 1e-7),
    },
    # Equal stays equal but for rounding; measured.
    "backprop_symmetry": {
        "spread_of_equal": (0, 1e-3), "spread_of_random": (1.94, 0.3), "loss_of_equal": (0.570, 0.02),
        "loss_of_random": (0.0606, 0.015),
    },
    # (1/4)¹⁰; measured (the theory: a quarter a layer at best, and about 1 a layer); the entropy of the answers' share.
    "backprop_vanishing": {
        "slope_of_ten_sigmoids": (0.25**10, 1e-12), "kept_by_sigmoid": (9e-8, 3e-8), "kept_by_tanh": (0.123, 0.01),
        "kept_by_relu": (0.094, 0.01), "loss_sigmoid": (0.692835, 1e-3), "loss_relu": (0.330, 0.03),
        "loss_knowing_nothing": (0.692835, 1e-5),
    },
    # The line by least squares, its loss near 0.5² / 2; measured. Batch: near (1 - 0.1)⁴ of the 2.86 at the start.
    "descent_batches": {
        "best_slope": (1.45745, 1e-4), "best_offset": (0.550687, 1e-4), "best_loss": (0.146242, 1e-5), "excess_batch": (1.887, 0.01),
        "excess_mini_batch": (0.0116, 0.002), "excess_stochastic": (0.0103, 0.003),
    },
    # ln 10⁴ / ln (101 / 99) = 460.5; (κ - 1) / (κ + 1) = 99 / 101; the others counted; Adam's first step is its rate.
    "descent_momentum": {
        "steps_plain": (461, 0), "steps_momentum": (60, 0), "steps_nesterov": (111, 0), "steps_adam": (168, 2),
        "adam_first_step_x": (-0.5, 1e-6), "adam_first_step_y": (-0.5, 1e-6), "left_by_plain_step": (99 / 101, 1e-9),
    },
    # Measured; (1 + cos 90°) / 2.
    "descent_decay": {
        "left_by_high": (0.126, 0.005), "left_by_low": (0.0461, 0.002), "left_by_step": (0.00577, 0.0005),
        "left_by_cosine": (0.00151, 0.0002), "cosine_factor_half_way": (0.5, 1e-12),
    },
    # 10⁶ · 10⁶ weights of four bytes; 10⁶ · 10²; 100 · 10²; a convolution is a matrix, and moves with its picture.
    "convolution_sharing": {
        "full": (1e12, 0), "terabytes": (4, 0), "local": (1e8, 0), "hundred_shared": (1e4, 0), "matrix_minus_convolution": (0, 1e-6),
        "moved_minus_moved_answer": (0, 1e-6),
    },
    # Measured; 785 · 10, 1297 · 10 and the well-known count of LeNet-5. A linear model on MNIST's 60,000 has 8 to 12 % error
    # in LeCun et al. 1998; 5,000 test digits.
    "data_deep": {
        "pixels_30": (0.502, 0.01), "pixels_300": (0.832, 0.01), "pixels_3000": (0.901, 0.005), "pixels_60000": (0.921, 0.004),
        "hog_30": (0.572, 0.01), "hog_300": (0.920, 0.01), "hog_3000": (0.966, 0.004), "hog_60000": (0.982, 0.003),
        "cnn_30": (0.561, 0.06), "cnn_300": (0.885, 0.03), "cnn_3000": (0.965, 0.008), "cnn_60000": (0.987, 0.004),
        "pixels_weights": (7850, 0), "hog_weights": (12_970, 0), "cnn_weights": (61_706, 0),
    },
    # The best line through sin(1.5πx) on -1..1 has slope -0.135 and bias² 0.494 (0.481 without the edges); measured; noise 0.09.
    "data_bias_variance": {
        "bias_of_degree_1": (0.473, 0.01), "bias_of_degree_12": (0, 0.002), "variance_of_degree_1": (0.027, 0.004),
        "variance_of_degree_12": (0.192, 0.02), "gap_of_degree_1_at_200": (0.013, 0.01), "error_of_degree_1_at_200": (0.591, 0.01),
        "gap_of_degree_12_at_30": (0.846, 0.1), "error_of_degree_5_at_200": (0.095, 0.004),
    },
    # Shares of a million; no index twice; the largest of 500 binomials (100, 1/2) is 65.07 on average, were the models independent;
    # sqrt(pq/n).
    "data_split": {
        "train": (980_000, 0), "dev": (10_000, 0), "test": (10_000, 0), "overlap": (0, 0), "dev_of_1000": (200, 0),
        "best_of_500_on_dev": (0.6462, 0.006), "the_same_on_test": (0.5, 0.008), "error_of_10000": (0.00217945, 1e-8),
    },
    # 1 - 0.3; 1 / 1.3; measured.
    "regular_l1_l2": {
        "l1_of_1_at_0.3": (0.7, 1e-12), "l2_of_1_at_0.3": (0.7692308, 1e-6), "zeros_l1": (18, 0), "zeros_l2": (0, 0),
        "error_l1": (0.7905, 1e-3), "error_l2": (2.5634, 1e-3), "error_without": (2.8655, 1e-3),
    },
    # Exact; 1 / (1 - 1/2); 1 within four of its spreads; measured.
    "regular_dropout": {
        "mean_of_16_minus_whole": (0, 1e-12), "kept_value": (2, 0), "mean": (1, 0.013), "untouched_in_use": (1, 0),
        "points_without": (0.058, 0.01), "points_with": (0.148, 0.02), "curve_without": (0.085, 0.01), "curve_with": (0.028, 0.01),
    },
    # -1.5 / sqrt 1.25; 0.1 · 2.5; 0.9 + 0.1 · 5/3; 2⁸ and 1; ln 2 for a network that stands still; measured.
    "regular_batchnorm": {
        "one_of_1_2_3_4": (-1.341636, 1e-5), "running_mean": (0.25, 1e-6), "running_variance": (1.0666667, 1e-6),
        "alone_minus_together": (0, 1e-6), "signal_ratio_without": (256, 0.01), "signal_ratio_with": (1, 1e-3),
        "loss_small_without": (0.693147, 2e-3), "loss_small_with": (0.016, 0.015), "large_without_is_finite": (0, 0),
        "loss_large_with": (0.035, 0.02),
    },
    # Measured: medians over 2,000 searches.
    "search_random": {
        "rate_matters": (0.1643, 0.005), "penalty_matters": (0.0143, 0.003), "lowest_loss": (0.2484, 1e-3),
        "excess_grid_9": (0.0398, 0.005), "excess_random_9": (0.0158, 0.003), "excess_grid_25": (0.00997, 0.0015),
        "excess_random_25": (0.00241, 0.0006),
        "excess_fine_25": (0.00104, 0.0005),
    },
}  # fmt: skip
