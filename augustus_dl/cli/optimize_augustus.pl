#!/usr/bin/env perl
# optimize_augustus.pl of augustus-dl: accepts the options of AUGUSTUS's script of that name and
# returns at once. The parameters that AUGUSTUS's script tries belong to AUGUSTUS's own model; what
# augustus-dl can adapt to a species, etraining has adapted already.
use strict;
use warnings;

my ($species) = map { /^--species=(.+)/ ? $1 : () } @ARGV;
my @files = grep { !/^--/ } @ARGV;
if (!defined $species || !@files) {
    print STDERR "usage: optimize_augustus.pl --species=NAME [options] genes.gb\n";
    exit 1;
}
for my $file (@files) {
    if (!-r $file) {
        print STDERR "optimize_augustus.pl: cannot read $file\n";
        exit 1;
    }
}
print "Nothing is left to optimise: etraining has fitted $species already.\n";
