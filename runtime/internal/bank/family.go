package bank

// Family is what generated code keeps to itself; tests need it.
var Family = bankFamily
